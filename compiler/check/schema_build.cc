// The vocabulary, part one: numbers for every named thing, then packages, enums, calendars, teams,
// roles, systems, activities.
#include "compiler/check/schema_build.h"

#include <algorithm>

#include "compiler/check/expr.h"
#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/types.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

// The file whose `owned by` names the package's team, and what the others say.
void BuildPackageOwner(Checker& c, uint32_t p) {
  Package& package = c.packages[p];
  FileScope* first = nullptr;
  for (FileScope* file : package.files) {
    if (!file->file->owner.present) continue;
    const Symbol* team = Lookup(c, SymbolKind::kTeam, file->file->owner.team, *file);
    if (first == nullptr) {
      first = file;
      package.owner_span = file->file->owner.span;
      if (team != nullptr) package.owner_team = team->index;
    } else if (team != nullptr && package.owner_team != kNone &&
               team->index != package.owner_team) {
      c.Report(DPL0402, file->file->owner.span,
               {"package " + Quoted(package.name), "team " + Quoted(file->file->owner.team.text),
                "team " + Quoted(first->file->owner.team.text), c.Place(first->file->owner.span)})
          .Label(first->file->owner.span, "the other owner is named here")
          .Help("a package has one owner; name the same team in all its files");
    }
  }
  if (first == nullptr && !package.files.empty()) {
    c.Report(DPL0208, package.files[0]->file->package_span, {Quoted(package.name)})
        .Help("write `package " + package.name + " owned by team …`");
  }
}

void BuildPackages(Checker& c) {
  for (uint32_t p = 0; p < c.packages.size(); ++p) {
    BuildPackageOwner(c, p);
    PackageDef& def = c.model.schema.packages[p];
    def.owner_team = c.packages[p].owner_team;
  }
}

void BuildEnums(Checker& c) {
  for (Symbol* symbol : SortedSymbols(c, SymbolKind::kEnum)) {
    const auto& decl = static_cast<const ast::EnumDecl&>(*symbol->decl);
    EnumDef& def = c.model.schema.enums[symbol->index];
    def.name = c.model.AddString(symbol->qualified);
    def.ordered = decl.ordered;
    std::map<std::string, Span> seen;
    for (const ast::Name& member : decl.members) {
      auto [at, fresh] = seen.emplace(member.text, member.span);
      if (!fresh) {
        c.Report(DPL0202, member.span, {Quoted(member.text)})
            .Label(at->second, "the first is here");
        continue;
      }
      def.members.push_back(c.model.AddString(member.text));
    }
  }
}

void BuildCalendar(Checker& c, const Symbol& symbol) {
  const auto& decl = static_cast<const ast::CalendarDecl&>(*symbol.decl);
  CalendarDef& def = c.model.schema.calendars[symbol.index];
  def.name = c.model.AddString(symbol.qualified);
  for (const ast::CalendarDecl::Open& open : decl.open) {
    Result<TimeOfDay> from = ParseTime(open.from.text), to = ParseTime(open.to.text);
    if (!from.ok() || !to.ok()) continue;  // the parser has said so
    CalendarDef::Open out;
    for (uint8_t day = open.from_day % 7;; day = static_cast<uint8_t>((day + 1) % 7)) {
      out.days |= static_cast<uint8_t>(1u << day);
      if (day == open.to_day % 7) break;
    }
    out.from_us = from->us;
    out.to_us = to->us;
    def.open.push_back(out);
  }
  for (const ast::Literal& day : decl.closed) {
    if (auto date = DateOfLiteral(c, day)) def.closed.push_back(date->days);
  }
  std::sort(def.closed.begin(), def.closed.end());
  def.closed.erase(std::unique(def.closed.begin(), def.closed.end()), def.closed.end());
  if (decl.open.empty() && !decl.incomplete) {
    c.Report(DPL0104, decl.head_span,
             {"calendar " + Quoted(symbol.name), "an `open`: without it it is never open"})
        .Help("add `open mon to fri 09:00 to 17:00`");
  }
}

// Cycles in a graph given by `next`; reports each once, at the first declaration of it.
void CheckAcyclic(Checker& c, const std::vector<Symbol*>& symbols,
                  const std::function<const std::vector<uint32_t>&(uint32_t)>& next,
                  const std::string& what) {
  std::vector<int> state(symbols.size(), 0);
  std::function<void(uint32_t)> visit = [&](uint32_t at) {
    state[at] = 1;
    for (uint32_t to : next(at)) {
      if (to >= state.size()) continue;
      if (state[to] == 1) {
        c.Report(DPL0314, symbols[to]->decl->head_span, {what + " " + Quoted(symbols[to]->name)})
            .Label(symbols[at]->decl->head_span, "which comes back to it from here");
      } else if (state[to] == 0) {
        visit(to);
      }
    }
    state[at] = 2;
  };
  for (uint32_t i = 0; i < symbols.size(); ++i) {
    if (state[i] == 0) visit(i);
  }
}

void BuildTeams(Checker& c) {
  for (Symbol* symbol : c.team_symbols) {
    auto& decl = static_cast<ast::TeamDecl&>(*symbol->decl);
    CheckMetaAllowed(c, decl.meta, {.because = true, .review = true}, "a team");
    TeamDef& def = c.model.schema.teams[symbol->index];
    def.package = symbol->package;
    def.span = decl.span;
    def.owner = OwnerOrPackage(c, decl.meta.owner, *symbol->file);
    for (const ast::QName& outer : decl.within) {
      const Symbol* team = Lookup(c, SymbolKind::kTeam, outer, *symbol->file);
      if (team != nullptr) def.within.push_back(team->index);
    }
  }
  CheckAcyclic(
      c, c.team_symbols,
      [&](uint32_t i) -> const std::vector<uint32_t>& { return c.model.schema.teams[i].within; },
      "team");
}

void BuildRoleHeads(Checker& c) {
  for (Symbol* symbol : c.role_symbols) {
    auto& decl = static_cast<ast::RoleDecl&>(*symbol->decl);
    CheckMetaAllowed(c, decl.meta, {.because = true, .review = true}, "a role");
    RoleDef& def = c.model.schema.roles[symbol->index];
    def.package = symbol->package;
    def.span = decl.span;
    def.owner = OwnerOrPackage(c, decl.meta.owner, *symbol->file);
    for (const ast::QName& scope : decl.scopes) {
      uint32_t type = LookupType(c, scope, *symbol->file);
      if (type == kNone) continue;
      if (std::find(def.scopes.begin(), def.scopes.end(), type) != def.scopes.end()) {
        c.Report(DPL0202, scope.span, {Quoted(scope.text)});
        continue;
      }
      def.scopes.push_back(type);
    }
    for (const ast::QName& included : decl.includes) {
      const Symbol* role = Lookup(c, SymbolKind::kRole, included, *symbol->file);
      if (role != nullptr) def.includes.push_back(role->index);
    }
  }
  CheckAcyclic(
      c, c.role_symbols,
      [&](uint32_t i) -> const std::vector<uint32_t>& { return c.model.schema.roles[i].includes; },
      "role");
  for (Symbol* symbol : c.role_symbols) {
    const auto& decl = static_cast<const ast::RoleDecl&>(*symbol->decl);
    const RoleDef& def = c.model.schema.roles[symbol->index];
    for (size_t i = 0; i < decl.includes.size(); ++i) {
      const Symbol* role =
          LookupQuietly(c, SymbolKind::kRole, decl.includes[i].text, *symbol->file);
      if (role == nullptr) continue;
      const RoleDef& included = c.model.schema.roles[role->index];
      // Holders hold the included role at the same object, so it has to be a role that is held
      // there.
      if (included.scopes.empty() != def.scopes.empty()) {
        c.ReportText(DPL0301, decl.includes[i].span,
                     "role " + Quoted(role->name) +
                         (included.scopes.empty() ? " is held everywhere" : " is held on objects") +
                         ", but role " + Quoted(symbol->name) +
                         (def.scopes.empty() ? " is held everywhere" : " on objects"))
            .Label(role->decl->head_span, "declared here")
            .Help("give both the same scope: `role … in …`");
        continue;
      }
      for (uint32_t scope : def.scopes) {
        if (std::find(included.scopes.begin(), included.scopes.end(), scope) !=
            included.scopes.end())
          continue;
        c.ReportText(DPL0301, decl.includes[i].span,
                     "role " + Quoted(role->name) + " is not held on " +
                         Quoted(c.Text(c.model.schema.resources[scope].name)))
            .Label(role->decl->head_span, "declared here")
            .Help("add " + Quoted(c.Text(c.model.schema.resources[scope].name)) + " to its `in`");
      }
    }
  }
}

void BuildSystems(Checker& c) {
  for (auto& [name, symbol] : c.systems) {
    auto& decl = static_cast<ast::SystemDecl&>(*symbol->decl);
    CheckMetaAllowed(c, decl.meta, {.because = true, .review = true}, "a system");
    SystemDef& def = c.model.schema.systems[symbol->index];
    def.package = symbol->package;
    def.span = decl.span;
    def.owner = ResolveOwner(c, decl.meta.owner, *symbol->file);
    def.boundary = c.model.AddString(decl.boundary.empty() ? name : decl.boundary.text);
    def.has_account = decl.has_account;
    bool link = !decl.link_by.empty();
    if (decl.has_account != link && !decl.incomplete) {
      c.Report(DPL0104, decl.head_span,
               {"system " + Quoted(name),
                link ? "an `account keyed by …` to link"
                     : "a `link person by … checked within …` for its accounts"})
          .Help(link ? "add `account keyed by login: string`, or remove the link"
                     : "add `link person by … checked within 30d`, or remove the account to use "
                       "people directly");
    }
    if (decl.has_account) {
      def.account_key = c.model.AddString(decl.account_key.text);
      TypeId type = ResolveType(c, decl.account_type, *symbol->file);
      if (type != kNone && type != c.t_string) {
        c.Report(DPL0301, decl.account_type.span,
                 {"an account key", DescribeType(c, type), "a string"});
      }
    }
    if (link) {
      def.link_by = c.model.AddString(decl.link_by.text);
      def.checked_within_us = DurationUs(c, decl.checked_within).value_or(0);
      const PersonDef& person = c.model.schema.person;
      std::vector<std::string> known{std::string(c.Text(person.key_name))};
      for (const AttributeDef& attribute : person.attributes)
        known.emplace_back(c.Text(attribute.name));
      if (person.declared &&
          std::find(known.begin(), known.end(), decl.link_by.text) == known.end()) {
        c.Report(DPL0302, decl.link_by.span, {"a person", Quoted(decl.link_by.text)})
            .Help(DidYouMean(NearNames(decl.link_by.text, known)));
      }
      if (c.person_package != kNone) MarkUsed(*symbol->file, c.person_package);
    }
  }
}

void BuildActivities(Checker& c) {
  for (Symbol* symbol : c.activity_symbols) {
    auto& decl = static_cast<ast::ActivityDecl&>(*symbol->decl);
    CheckMetaAllowed(c, decl.meta, {.because = true, .review = true}, "an activity");
    ActivityDef& def = c.model.schema.activities[symbol->index];
    def.package = symbol->package;
    def.span = decl.span;
    def.owner = OwnerOrPackage(c, decl.meta.owner, *symbol->file);
    def.limits_must_agree = decl.limits_must_agree;
    def.agree_within = c.model.AddString(decl.agree_within.text);
    for (const ast::ActivityDecl::Measure& measure : decl.measures) {
      TypeId type = ResolveType(c, measure.type, *symbol->file);
      if (type == kNone) continue;
      if (!IsMeasurable(c, type)) {
        c.Report(DPL0301, measure.type.span,
                 {"measure " + Quoted(measure.name.text), DescribeType(c, type),
                  "money, a number or a duration"});
        continue;
      }
      bool twice = std::any_of(def.measures.begin(), def.measures.end(), [&](const MeasureDef& m) {
        return c.Text(m.name) == measure.name.text;
      });
      if (twice || measure.name.text == "requests") {
        c.Report(twice ? DPL0202 : DPL0207, measure.name.span, {Quoted(measure.name.text)});
        continue;
      }
      def.measures.push_back({c.model.AddString(measure.name.text), type, measure.must_be_limited});
    }
    if (decl.limits_must_agree && decl.measures.empty() && !decl.incomplete) {
      c.Report(DPL0104, decl.agree_span.known() ? decl.agree_span : decl.head_span,
               {"`limits must agree`", "a `measure` whose limits could agree"});
    }
  }
}

}  // namespace

std::vector<Symbol*> SortedSymbols(Checker& c, SymbolKind kind) {
  std::vector<Symbol*> found;
  for (Package& package : c.packages) {
    for (auto& [name, symbol] : package.names[static_cast<size_t>(kind)]) found.push_back(symbol);
  }
  std::sort(found.begin(), found.end(),
            [](const Symbol* a, const Symbol* b) { return a->qualified < b->qualified; });
  return found;
}

OwnerDef ResolveOwner(Checker& c, const ast::OwnerRef& owner, FileScope& file) {
  OwnerDef def;
  if (!owner.present) return def;
  if (owner.is_team) {
    const Symbol* team = Lookup(c, SymbolKind::kTeam, owner.team, file);
    if (team != nullptr) def.team = team->index;
  } else if (owner.person.present) {
    def.person = c.PersonConstant(owner.person.value, owner.person.span);
  }
  return def;
}

OwnerDef OwnerOrPackage(Checker& c, const ast::OwnerRef& owner, FileScope& file) {
  if (owner.present) return ResolveOwner(c, owner, file);
  OwnerDef def;
  if (file.package != kNone) def.team = c.packages[file.package].owner_team;
  return def;
}

void CheckMetaAllowed(Checker& c, const ast::Meta& meta, const MetaAllowed& allowed,
                      const std::string& what) {
  auto refuse = [&](bool is_allowed, const Span& span, const char* clause, const char* help) {
    if (is_allowed || !span.known()) return;
    c.Report(DPL0102, span, {Quoted(clause), what}).Help(help);
  };
  refuse(allowed.owner, meta.owner_span, "owner", "");
  refuse(allowed.because, meta.because_span, "because", "say it in a `///` comment above");
  refuse(allowed.ticket, meta.ticket_span, "ticket", "");
  refuse(allowed.review, meta.review_span, "review every", "");
  refuse(allowed.expires, meta.expires_span, "expires",
         what == "a forbid" || what == "a limit" || what == "a separate"
             ? "what restricts never lapses by itself; use `review every`, and remove it when it "
               "is no longer needed"
             : "use `review every`, and remove it when it is no longer needed");
}

void BuildSchema(Checker& c) {
  Schema& schema = c.model.schema;
  schema.packages.resize(c.packages.size());
  for (uint32_t p = 0; p < c.packages.size(); ++p) {
    schema.packages[p].name = c.model.AddString(c.packages[p].name);
    schema.packages[p].file = c.packages[p].files[0]->file->file_id;
  }
  auto number = [](const std::vector<Symbol*>& symbols) {
    for (uint32_t i = 0; i < symbols.size(); ++i) symbols[i]->index = i;
  };
  number(SortedSymbols(c, SymbolKind::kConst));
  number(SortedSymbols(c, SymbolKind::kEnum));
  number(SortedSymbols(c, SymbolKind::kCalendar));
  c.team_symbols = SortedSymbols(c, SymbolKind::kTeam);
  c.role_symbols = SortedSymbols(c, SymbolKind::kRole);
  c.activity_symbols = SortedSymbols(c, SymbolKind::kActivity);
  number(c.team_symbols);
  number(c.role_symbols);
  number(c.activity_symbols);
  schema.enums.resize(SortedSymbols(c, SymbolKind::kEnum).size());
  schema.calendars.resize(SortedSymbols(c, SymbolKind::kCalendar).size());
  schema.teams.resize(c.team_symbols.size());
  schema.roles.resize(c.role_symbols.size());
  schema.activities.resize(c.activity_symbols.size());
  schema.systems.resize(c.systems.size());
  schema.resources.resize(c.resources.size());
  for (Symbol* s : c.team_symbols) schema.teams[s->index].name = c.model.AddString(s->qualified);
  for (Symbol* s : c.role_symbols) schema.roles[s->index].name = c.model.AddString(s->qualified);
  for (Symbol* s : c.activity_symbols)
    schema.activities[s->index].name = c.model.AddString(s->qualified);
  uint32_t index = 0;
  for (auto& [name, symbol] : c.systems) {
    symbol->index = index;
    schema.systems[index++].name = c.model.AddString(name);
  }
  index = 0;
  for (auto& [name, symbol] : c.resources) {
    symbol->index = index;
    c.resource_symbols.push_back(symbol);
    ResourceDef& resource = schema.resources[index++];
    resource.name = c.model.AddString(name);
    resource.package = symbol->package;
    const Symbol* system =
        Lookup(c, SymbolKind::kSystem, static_cast<const ast::ResourceDecl&>(*symbol->decl).system,
               *symbol->file);
    if (system != nullptr) resource.system = system->index;
  }
  BuildEnums(c);
  BuildPackages(c);
  BuildTeams(c);
  BuildActivities(c);
  BuildResources(c);
  BuildSystems(c);
  BuildRoleHeads(c);
  for (Symbol* symbol : SortedSymbols(c, SymbolKind::kCalendar)) BuildCalendar(c, *symbol);
}

}  // namespace dpl::check
