#include "compiler/testing/affected.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace dpl::testing {
namespace {

using Names = std::set<std::string, std::less<>>;

std::map<std::string, const std::string*> Texts(const SourceSet& sources) {
  std::map<std::string, const std::string*> out;
  for (uint32_t i = 0; i < sources.size(); ++i) out[sources[i].path()] = &sources[i].text();
  return out;
}

// What importers see of it may differ, so they count as changed too.
void AddImporters(const Compilation& c, Names* packages) {
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& file : c.files) {
      if (packages->contains(file->package.text)) continue;
      for (const ast::Import& import : file->imports) {
        if (!packages->contains(import.package.text)) continue;
        packages->insert(file->package.text);
        grew = true;
        break;
      }
    }
  }
}

Names PersonsNamed(const Program& program) {
  Names out;
  for (const Constant& c : program.constants) {
    if (c.kind == Constant::Kind::kPerson) out.insert(c.text);
  }
  return out;
}

// `person` and `context` are read by every request.
bool DeclaresWhoAsks(const Compilation& c, const Names& files) {
  for (const auto& file : c.files) {
    if (!files.contains(c.sources[file->file_id].path())) continue;
    for (const auto& decl : file->decls) {
      if (decl->kind == ast::DeclKind::kPerson || decl->kind == ast::DeclKind::kContext)
        return true;
    }
  }
  return false;
}

std::string PackageName(const Program& p, uint32_t package) {
  return package == kNone ? std::string() : std::string(p.Text(p.schema.packages[package].name));
}

void AddTypes(const Program& p, const Names& packages, Names* types, Names* agents) {
  for (const ResourceDef& resource : p.schema.resources) {
    if (packages.contains(PackageName(p, resource.package)))
      types->insert(std::string(p.Text(resource.name)));
  }
  for (const Statement& s : p.statements) {
    if (!packages.contains(PackageName(p, s.package))) continue;
    if (s.kind == StatementKind::kAgent) agents->insert(std::string(p.Text(s.name)));
    for (uint32_t c : s.clauses)
      types->insert(std::string(p.Text(p.schema.resources[p.clauses[c].type].name)));
  }
}

bool Meets(const std::vector<ast::Step>& steps, const Names& types, const Names& agents) {
  auto names_agent = [&](const ast::AgentHop& hop) {
    return std::any_of(agents.begin(), agents.end(), [&](const std::string& full) {
      const std::string& name = hop.name.text;
      return full == name || (full.size() > name.size() && full.ends_with(name) &&
                              full[full.size() - name.size() - 1] == '.');
    });
  };
  return std::any_of(steps.begin(), steps.end(), [&](const ast::Step& step) {
    if (step.kind == ast::Step::Kind::kWhen) {
      if (types.contains(step.when.type.text)) return true;
      if (std::any_of(step.when.hops.begin(), step.when.hops.end(), names_agent)) return true;
    }
    return Meets(step.body, types, agents);
  });
}

}  // namespace

std::vector<std::string> ChangedFiles(const SourceSet& before, const SourceSet& after) {
  std::map<std::string, const std::string*> was = Texts(before), is = Texts(after);
  std::vector<std::string> out;
  for (const auto& [path, text] : is) {
    auto old = was.find(path);
    if (old == was.end() || *old->second != *text) out.push_back(path);
  }
  for (const auto& [path, text] : was) {
    if (!is.contains(path)) out.push_back(path);
  }
  std::sort(out.begin(), out.end());
  return out;
}

Affected AffectedTests(const Compilation& before, const Compilation& after) {
  Affected out;
  out.files = ChangedFiles(before.sources, after.sources);
  Names files(out.files.begin(), out.files.end());
  Names packages;
  for (const Compilation* c : {&before, &after}) {
    for (const auto& file : c->files) {
      if (files.contains(c->sources[file->file_id].path())) packages.insert(file->package.text);
    }
  }
  out.packages.assign(packages.begin(), packages.end());
  bool all = DeclaresWhoAsks(before, files) || DeclaresWhoAsks(after, files) ||
             PersonsNamed(*before.program) != PersonsNamed(*after.program);
  for (const Compilation* c : {&before, &after}) AddImporters(*c, &packages);
  Names types, agents;
  for (const Compilation* c : {&before, &after}) AddTypes(*c->program, packages, &types, &agents);
  for (size_t t = 0; t < after.tests.size(); ++t) {
    bool concerned = all ||
                     packages.contains(PackageName(*after.program, after.test_packages[t])) ||
                     Meets(after.tests[t]->steps, types, agents);
    out.tests.push_back(concerned);
    out.count += concerned ? 1 : 0;
  }
  return out;
}

}  // namespace dpl::testing
