// Collecting what every package declares, and finding it again by name.
#include "compiler/check/names.h"

#include <algorithm>
#include <optional>

#include "compiler/check/phases.h"
#include "runtime/bytecode/builtin.h"

namespace dpl::check {
namespace {

using ast::DeclKind;

std::optional<SymbolKind> SymbolOf(DeclKind kind) {
  switch (kind) {
    case DeclKind::kConst:
      return SymbolKind::kConst;
    case DeclKind::kEnum:
      return SymbolKind::kEnum;
    case DeclKind::kFunction:
      return SymbolKind::kFunction;
    case DeclKind::kCalendar:
      return SymbolKind::kCalendar;
    case DeclKind::kTeam:
      return SymbolKind::kTeam;
    case DeclKind::kRole:
      return SymbolKind::kRole;
    case DeclKind::kSystem:
      return SymbolKind::kSystem;
    case DeclKind::kResource:
      return SymbolKind::kResource;
    case DeclKind::kActivity:
      return SymbolKind::kActivity;
    case DeclKind::kGrant:
      return SymbolKind::kGrant;
    case DeclKind::kLimit:
      return SymbolKind::kLimit;
    case DeclKind::kForbid:
      return SymbolKind::kForbid;
    case DeclKind::kAgent:
      return SymbolKind::kAgent;
    case DeclKind::kDelegation:
      return SymbolKind::kDelegation;
    case DeclKind::kTask:
      return SymbolKind::kTask;
    case DeclKind::kApproval:
      return SymbolKind::kApproval;
    case DeclKind::kObligation:
      return SymbolKind::kObligation;
    case DeclKind::kSeparate:
      return SymbolKind::kSeparate;
    case DeclKind::kBreakGlass:
      return SymbolKind::kBreakGlass;
    case DeclKind::kPartner:
      return SymbolKind::kPartner;
    default:
      return std::nullopt;  // person, context, owner of, data, test: they have no name
  }
}

bool SaidInExpressions(SymbolKind kind) {
  return kind == SymbolKind::kConst || kind == SymbolKind::kEnum || kind == SymbolKind::kFunction ||
         kind == SymbolKind::kCalendar;
}

bool IsStatement(SymbolKind kind) { return kind >= SymbolKind::kGrant; }

// Kinds that may not share a name within a package.
bool Collide(SymbolKind a, SymbolKind b) {
  return a == b || (SaidInExpressions(a) && SaidInExpressions(b)) ||
         (IsStatement(a) && IsStatement(b));
}

// What a name of this kind could be mistaken for: variables, functions, and for an enum types.
bool ShadowsBuiltIn(SymbolKind kind, std::string_view name) {
  static const std::set<std::string_view> kVariables = {"person", "agent", "resource", "request",
                                                        "task",   "now",   "context"};
  static const std::set<std::string_view> kTypes = {
      "bool", "int", "decimal", "money",  "string", "date", "datetime", "time", "duration",
      "path", "ip",  "labels",  "Person", "Agent",  "Team", "Role",     "Task",
  };
  if (kind == SymbolKind::kSystem) return kVariables.contains(name);
  if (!SaidInExpressions(kind)) return false;
  return kVariables.contains(name) || FindBuiltin(name) != nullptr ||
         (kind == SymbolKind::kEnum && kTypes.contains(name));
}

const Symbol* InPackage(const Checker& c, SymbolKind kind, uint32_t package,
                        std::string_view name) {
  const auto& names = c.packages[package].names[static_cast<size_t>(kind)];
  auto found = names.find(name);
  return found == names.end() ? nullptr : found->second;
}

// The package that `prefix` means in this file: the own one, an import or its alias.
uint32_t PackageNamed(const Checker& c, std::string_view prefix, const FileScope& file) {
  if (file.package != kNone && c.packages[file.package].name == prefix) return file.package;
  for (const FileScope::Use& use : file.imports) {
    if (use.package == kNone) continue;
    if (use.import->alias.text == prefix || c.packages[use.package].name == prefix)
      return use.package;
  }
  return kNone;
}

// Everything of a kind that the file could have meant, as it would write it.
std::vector<std::string> VisibleNames(const Checker& c, SymbolKind kind, const FileScope& file) {
  std::vector<std::string> names;
  auto add = [&](uint32_t package) {
    if (package == kNone) return;
    for (const auto& [name, symbol] : c.packages[package].names[static_cast<size_t>(kind)])
      names.push_back(name);
  };
  add(file.package);
  for (const FileScope::Use& use : file.imports) add(use.package);
  return names;
}

// Packages that declare the name but are not imported: what an `import` would mend.
std::string ImportHelp(const Checker& c, SymbolKind kind, std::string_view name,
                       const FileScope& file) {
  std::vector<std::string> packages;
  for (uint32_t p = 0; p < c.packages.size(); ++p) {
    if (p != file.package && !Imports(file, p) && InPackage(c, kind, p, name) != nullptr) {
      packages.push_back("`import " + c.packages[p].name + "`");
    }
  }
  if (packages.empty()) return std::string();
  std::string help = "add ";
  for (size_t i = 0; i < packages.size(); ++i) help += (i == 0 ? "" : " or ") + packages[i];
  return help;
}

struct Found {
  const Symbol* symbol = nullptr;
  std::vector<const Symbol*> several;  // more than one import provides it
};

Found Search(Checker& c, SymbolKind kind, std::string_view name, FileScope& file) {
  Found found;
  size_t dot = name.rfind('.');
  if (dot != std::string_view::npos) {
    uint32_t package = PackageNamed(c, name.substr(0, dot), file);
    if (package == kNone && file.in_test) {
      auto at = c.package_ids.find(name.substr(0, dot));
      if (at != c.package_ids.end()) package = at->second;
    }
    if (package != kNone) found.symbol = InPackage(c, kind, package, name.substr(dot + 1));
    return found;
  }
  if (file.package == kNone) return found;
  found.symbol = InPackage(c, kind, file.package, name);
  if (found.symbol != nullptr) return found;
  for (const FileScope::Use& use : file.imports) {
    if (use.package == kNone) continue;
    const Symbol* symbol = InPackage(c, kind, use.package, name);
    if (symbol != nullptr &&
        std::find(found.several.begin(), found.several.end(), symbol) == found.several.end()) {
      found.several.push_back(symbol);
    }
  }
  if (found.several.empty() && file.in_test) {
    for (uint32_t p = 0; p < c.packages.size(); ++p) {
      if (const Symbol* symbol = InPackage(c, kind, p, name)) found.several.push_back(symbol);
    }
  }
  if (found.several.size() == 1) {
    found.symbol = found.several[0];
    found.several.clear();
  }
  return found;
}

void ReportUnknown(Checker& c, SymbolKind kind, const ast::QName& name, FileScope& file) {
  std::string_view last = name.text;
  if (size_t dot = last.rfind('.'); dot != std::string_view::npos) last = last.substr(dot + 1);
  std::string import_help = c.sink->full() ? std::string() : ImportHelp(c, kind, last, file);
  std::vector<std::string> near = import_help.empty() && !c.sink->full()
                                      ? NearNames(name.text, VisibleNames(c, kind, file))
                                      : std::vector<std::string>();
  DiagnosticRef report = kind == SymbolKind::kSystem
                             ? c.Report(DPL0210, name.span, {Quoted(name.text)})
                             : c.Report(DPL0201, name.span, {KindWord(kind), Quoted(name.text)});
  report.Help(import_help).Suggest(name.span, near);
  if (import_help.empty() && near.empty()) {
    if (kind == SymbolKind::kTeam)
      report.Help("declare it: `team " + std::string(last) + " { owner person \"…\" }`");
    if (kind == SymbolKind::kRole) report.Help("declare it: `role " + std::string(last) + "`");
    if (kind == SymbolKind::kSystem) report.Help("declare it: `system " + std::string(last) + "`");
  }
}

// ---------------------------------------------------------------- collecting

void AddSymbol(Checker& c, FileScope& file, ast::Decl* decl, SymbolKind kind) {
  if (decl->name.empty()) return;
  Package& package = c.packages[file.package];
  Symbol& symbol = c.symbols.emplace_back();
  symbol.kind = kind;
  symbol.decl = decl;
  symbol.file = &file;
  symbol.package = file.package;
  symbol.name = decl->name.text;
  symbol.qualified = package.name + "." + symbol.name;
  if (ShadowsBuiltIn(kind, symbol.name)) {
    c.Report(DPL0207, decl->name.span, {Quoted(symbol.name)}).Help("choose another name");
  }
  if (kind == SymbolKind::kResource) {
    const auto& resource = static_cast<const ast::ResourceDecl&>(*decl);
    std::string_view system = resource.system.text;
    if (size_t dot = system.rfind('.'); dot != std::string_view::npos)
      system = system.substr(dot + 1);
    symbol.name = std::string(system) + "." + symbol.name;
    symbol.qualified = symbol.name;
  }
  if (kind == SymbolKind::kSystem) symbol.qualified = symbol.name;

  auto twice = [&](const Symbol& first) {
    c.Report(DPL0202, decl->name.span.known() ? decl->name.span : decl->head_span,
             {Quoted(symbol.name)})
        .Label(first.decl->head_span,
               std::string(KindWord(first.kind)) + " " + Quoted(symbol.name) + " is declared here")
        .Help("rename one of them");
  };
  for (int other = 0; other < kSymbolKinds; ++other) {
    if (!Collide(kind, static_cast<SymbolKind>(other))) continue;
    auto found = package.names[static_cast<size_t>(other)].find(symbol.name);
    if (found != package.names[static_cast<size_t>(other)].end()) return twice(*found->second);
  }
  auto* global = kind == SymbolKind::kSystem     ? &c.systems
                 : kind == SymbolKind::kResource ? &c.resources
                                                 : nullptr;
  if (global != nullptr) {
    auto [at, fresh] = global->emplace(symbol.name, &symbol);
    if (!fresh) return twice(*at->second);
  }
  package.names[static_cast<size_t>(kind)].emplace(symbol.name, &symbol);
}

void CollectFiles(Checker& c, const std::vector<std::unique_ptr<ast::File>>& files) {
  std::vector<ast::File*> sorted;
  for (const auto& file : files) {
    if (file != nullptr && !file->package.empty()) sorted.push_back(file.get());
  }
  auto path = [&](const ast::File* f) {
    const SourceFile* source = c.sources.Find(f->file_id);
    return source == nullptr ? std::string() : source->path();
  };
  std::stable_sort(sorted.begin(), sorted.end(), [&](const ast::File* a, const ast::File* b) {
    return std::pair(a->package.text, path(a)) < std::pair(b->package.text, path(b));
  });
  for (ast::File* file : sorted) {
    auto [at, fresh] = c.package_ids.emplace(file->package.text, c.packages.size());
    if (fresh) c.packages.emplace_back().name = file->package.text;
    FileScope& scope = c.files.emplace_back();
    scope.file = file;
    scope.package = at->second;
    c.packages[at->second].files.push_back(&scope);
    for (const ast::Name& clause : file->requires_clauses) {
      if (clause.text == "ticket") {
        c.packages[at->second].requires_ticket = true;
      } else if (clause.text == "approval") {
        c.packages[at->second].requires_approval = true;
      } else {
        c.Report(DPL0201, clause.span, {"requirement", Quoted(clause.text)})
            .Help("a package can require `ticket` and `approval`");
      }
    }
    c.model.files.push_back(file);
  }
}

void ResolveImports(Checker& c) {
  std::vector<std::string> known;
  for (const Package& package : c.packages) known.push_back(package.name);
  for (FileScope& file : c.files) {
    for (const ast::Import& import : file.file->imports) {
      if (import.package.empty()) continue;
      FileScope::Use use;
      use.import = &import;
      auto found = c.package_ids.find(import.package.text);
      if (found == c.package_ids.end()) {
        c.Report(DPL0201, import.package.span, {"package", Quoted(import.package.text)})
            .Suggest(import.package.span, NearNames(import.package.text, known))
            .Help("name the file or folder that holds it on the command line");
      } else if (found->second == file.package) {
        c.Report(DPL0204, import.package.span,
                 {Quoted(import.package.text + " -> " + import.package.text)})
            .Help("a package sees its own names without importing itself");
      } else if (Imports(file, found->second)) {
        c.Report(DPL0202, import.package.span, {"import " + Quoted(import.package.text)});
      } else {
        use.package = found->second;
      }
      file.imports.push_back(use);
    }
  }
}

class CycleFinder {
 public:
  explicit CycleFinder(Checker& c) : c_(c), state_(c.packages.size(), 0) {}
  void Run() {
    for (uint32_t p = 0; p < c_.packages.size(); ++p) Visit(p);
  }

 private:
  void Visit(uint32_t p) {
    if (state_[p] != 0) return;
    state_[p] = 1;
    trail_.push_back(p);
    for (FileScope* file : c_.packages[p].files) {
      for (const FileScope::Use& use : file->imports) {
        if (use.package == kNone) continue;
        if (state_[use.package] == 1) {
          std::string chain;
          auto from = std::find(trail_.begin(), trail_.end(), use.package);
          for (auto at = from; at != trail_.end(); ++at) chain += c_.packages[*at].name + " -> ";
          c_.Report(DPL0204, use.import->span, {Quoted(chain + c_.packages[use.package].name)})
              .Help("move what both need into a package that both import");
        } else {
          Visit(use.package);
        }
      }
    }
    trail_.pop_back();
    state_[p] = 2;
  }

  Checker& c_;
  std::vector<int> state_;
  std::vector<uint32_t> trail_;
};

}  // namespace

void CollectNames(Checker& c, const std::vector<std::unique_ptr<ast::File>>& files) {
  CollectFiles(c, files);
  ResolveImports(c);
  CycleFinder(c).Run();
  for (FileScope& file : c.files) {
    for (const auto& decl : file.file->decls) {
      c.any_incomplete |= decl->incomplete;
      if (auto kind = SymbolOf(decl->kind)) AddSymbol(c, file, decl.get(), *kind);
    }
  }
}

void ReportUnusedImports(Checker& c) {
  if (c.any_incomplete) return;
  for (const FileScope& file : c.files) {
    for (const FileScope::Use& use : file.imports) {
      if (use.package == kNone || use.used) continue;
      c.Report(DPL0206, use.import->span, {Quoted(use.import->package.text)})
          .Help("remove the line")
          .Fix(c.LineOf(use.import->span), "", "remove the import");
    }
  }
}

bool Imports(const FileScope& file, uint32_t package) {
  return std::any_of(file.imports.begin(), file.imports.end(),
                     [&](const FileScope::Use& use) { return use.package == package; });
}

void MarkUsed(FileScope& file, uint32_t package) {
  for (FileScope::Use& use : file.imports) use.used |= use.package == package;
}

const Symbol* LookupQuietly(Checker& c, SymbolKind kind, std::string_view name, FileScope& file) {
  const Symbol* symbol = nullptr;
  if (kind == SymbolKind::kSystem) {
    size_t dot = name.rfind('.');
    auto found = c.systems.find(dot == std::string_view::npos ? name : name.substr(dot + 1));
    if (found == c.systems.end()) return nullptr;
    symbol = found->second;
    if (dot != std::string_view::npos &&
        PackageNamed(c, name.substr(0, dot), file) != symbol->package)
      return nullptr;
    if (symbol->package != file.package && !Imports(file, symbol->package) && !file.in_test)
      return nullptr;
  } else {
    symbol = Search(c, kind, name, file).symbol;
  }
  if (symbol != nullptr) MarkUsed(file, symbol->package);
  return symbol;
}

const Symbol* Lookup(Checker& c, SymbolKind kind, const ast::QName& name, FileScope& file) {
  if (name.empty()) return nullptr;
  if (const Symbol* symbol = LookupQuietly(c, kind, name.text, file)) return symbol;
  Found found = kind == SymbolKind::kSystem ? Found{} : Search(c, kind, name.text, file);
  if (found.several.size() > 1) {
    std::vector<std::string> options;
    for (const Symbol* symbol : found.several) {
      options.push_back(Quoted(symbol->qualified));
      MarkUsed(file, symbol->package);
    }
    c.Report(DPL0203, name.span, {Quoted(name.text), Listed(options)})
        .Help("write the one you mean with its package");
    return nullptr;
  }
  ReportUnknown(c, kind, name, file);
  return nullptr;
}

uint32_t LookupTypeQuietly(Checker& c, std::string_view name, FileScope& file) {
  size_t last = name.rfind('.');
  if (last == std::string_view::npos || last == 0) return kNone;
  size_t before = name.rfind('.', last - 1);
  auto found = c.resources.find(before == std::string_view::npos ? name : name.substr(before + 1));
  if (found == c.resources.end()) return kNone;
  const Symbol& symbol = *found->second;
  if (before != std::string_view::npos &&
      PackageNamed(c, name.substr(0, before), file) != symbol.package)
    return kNone;
  if (symbol.package != file.package && !Imports(file, symbol.package) && !file.in_test)
    return kNone;
  MarkUsed(file, symbol.package);
  return symbol.index;
}

uint32_t LookupType(Checker& c, const ast::QName& name, FileScope& file) {
  if (name.empty()) return kNone;
  uint32_t type = LookupTypeQuietly(c, name.text, file);
  if (type != kNone) return type;
  std::vector<std::string> known;
  for (const auto& [full, symbol] : c.resources) {
    if (c.sink->full()) break;
    if (symbol->package == file.package || Imports(file, symbol->package)) known.push_back(full);
  }
  std::string_view text = name.text;
  auto elsewhere = c.resources.find(text);
  if (elsewhere != c.resources.end()) {
    c.Report(DPL0201, name.span, {"resource type", Quoted(text)})
        .Help("add `import " + c.packages[elsewhere->second->package].name + "`");
    return kNone;
  }
  size_t dot = text.find('.');
  if (dot == std::string_view::npos) {
    std::vector<std::string> ending;
    for (const std::string& full : known) {
      if (full.size() > text.size() && full.ends_with(text) &&
          full[full.size() - text.size() - 1] == '.') {
        ending.push_back(full);
      }
    }
    c.Report(DPL0201, name.span, {"resource type", Quoted(text)})
        .Suggest(name.span, ending.empty() ? NearNames(text, known) : ending)
        .Help("a resource type is written with its system: `system.Type`");
    return kNone;
  }
  if (!c.systems.contains(text.substr(0, dot)) &&
      PackageNamed(c, text.substr(0, text.rfind('.')), file) == kNone) {
    std::vector<std::string> systems;
    for (const auto& [system, symbol] : c.systems) systems.push_back(system);
    c.Report(DPL0210, name.span, {Quoted(text.substr(0, dot))})
        .Suggest(name.span, NearNames(text, known))
        .Help(NearNames(text, known).empty() ? DidYouMean(NearNames(text.substr(0, dot), systems))
                                             : std::string());
    return kNone;
  }
  c.Report(DPL0201, name.span, {"resource type", Quoted(text)})
      .Suggest(name.span, NearNames(text, known));
  return kNone;
}

const Symbol* LookupStatement(Checker& c, std::string_view name, FileScope& file) {
  for (int round = 0; round < 2; ++round) {
    for (int kind = static_cast<int>(SymbolKind::kGrant); kind < kSymbolKinds; ++kind) {
      if (const Symbol* symbol = LookupQuietly(c, static_cast<SymbolKind>(kind), name, file))
        return symbol;
    }
    size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return nullptr;
    name = name.substr(0, dot);  // `band_one.amount`: the limit on amount of band_one
  }
  return nullptr;
}

}  // namespace dpl::check
