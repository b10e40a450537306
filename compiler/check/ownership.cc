// Who owns which type and subtree, and who may grant over it.
#include <algorithm>

#include "compiler/check/clauses.h"
#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"
#include "compiler/check/types.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

std::string OwnersText(const Checker& c, const std::vector<OwnerDef>& owners) {
  std::vector<std::string> texts;
  for (const OwnerDef& owner : owners) texts.push_back(c.OwnerText(owner));
  return texts.empty() ? "nobody" : Listed(texts);
}

bool SameOwners(std::vector<OwnerDef> a, std::vector<OwnerDef> b) {
  auto order = [](const OwnerDef& x, const OwnerDef& y) {
    return std::pair(x.team, x.person) < std::pair(y.team, y.person);
  };
  std::sort(a.begin(), a.end(), order);
  std::sort(b.begin(), b.end(), order);
  return a == b;
}

// Two places that say who owns one thing: the same owner twice is only a repetition.
void Dispute(Checker& c, const std::string& what, const Span& here,
             const std::vector<OwnerDef>& owners, const Span& there,
             const std::vector<OwnerDef>& others) {
  if (SameOwners(owners, others)) {
    c.Report(DPL0202, here, {"the owner of " + what})
        .Label(there, "said here already")
        .Help("remove one of them");
    return;
  }
  c.Report(DPL0402, here, {what, OwnersText(c, owners), OwnersText(c, others), c.Place(there)})
      .Label(here, OwnersText(c, owners) + " claims it here")
      .Label(there, OwnersText(c, others) + " claims it here")
      .Help(
          "settle who decides and keep one; a shared claim is written `is team …, jointly team …`");
}

struct Claim {
  uint32_t type = kNone, container = kNone;
  std::vector<OwnerDef> owners;
  Span span;
  uint32_t package = kNone;
};

bool ReadClaim(Checker& c, ast::OwnerDecl& decl, FileScope& file, Claim* out) {
  CheckMetaAllowed(c, decl.meta, {.owner = false, .because = true, .ticket = true, .review = true},
                   "`owner of`");
  if (!decl.meta.because.present) {
    if (!decl.incomplete) {
      c.Report(DPL0403, decl.head_span, {"`owner of " + decl.type.text + "`"})
          .Help("add `because \"…\"`: who decided it");
    }
  } else if (IsEmptyTalk(decl.meta.because.value)) {
    c.Report(DPL0403, decl.meta.because.span, {"`owner of " + decl.type.text + "`"})
        .Help(Quoted(decl.meta.because.value) + " says nothing");
  }
  DurationUs(c, decl.meta.review_every);
  if (decl.owners.empty() && !decl.incomplete) {
    c.Report(DPL0104, decl.head_span, {"`owner of`", "`is team …`"});
  }
  out->type = LookupType(c, decl.type, file);
  out->span = decl.head_span;
  out->package = file.package;
  bool ok = out->type != kNone;
  for (const ast::OwnerRef& owner : decl.owners) {
    OwnerDef resolved = ResolveOwner(c, owner, file);
    if (resolved == OwnerDef{}) return false;
    if (std::find(out->owners.begin(), out->owners.end(), resolved) != out->owners.end()) {
      c.Report(DPL0202, owner.span, {Quoted(c.SourceText(owner.span))});
      continue;
    }
    out->owners.push_back(resolved);
  }
  if (!decl.subtree_type.empty()) {
    uint32_t outer = LookupType(c, decl.subtree_type, file);
    if (outer == kNone || !ok) return false;
    if (!CanLieWithin(c, out->type, outer)) {
      c.ReportText(DPL0301, decl.subtree_type.span,
                   WithArticle(decl.type.text) + " never lies within " +
                       WithArticle(decl.subtree_type.text))
          .Label(c.model.schema.resources[out->type].span, "declared here");
      return false;
    }
    std::optional<std::string> id =
        CanonicalId(c, outer, decl.subtree_id.value, decl.subtree_id.span);
    if (!id) return false;
    out->container = c.ResourceConstant(outer, *id);
  }
  return ok && !out->owners.empty();
}

// Whether the package's own team is one of the owners.
bool Owns(const Checker& c, uint32_t package, const std::vector<OwnerDef>& owners) {
  uint32_t team = c.packages[package].owner_team;
  return team != kNone && std::any_of(owners.begin(), owners.end(),
                                      [&](const OwnerDef& owner) { return owner.team == team; });
}

// DPL0401, once per type: nobody wrote who owns what is given away here.
bool MissesOwner(Checker& c, const Symbol& symbol, const ClauseModel& clause,
                 std::set<uint32_t>* ownerless) {
  const ResourceDef& resource = c.model.schema.resources[clause.type];
  const TypeOwner& owner = c.type_owners[clause.type];
  std::string name(c.Text(resource.name));
  bool written = owner.own_clause || owner.owner_of || owner.from_system;
  bool own_package = resource.package == symbol.package &&
                     (!resource.owners.empty() || c.packages[resource.package].owner_span.known());
  if (written || own_package) return false;
  if (ownerless->insert(clause.type).second) {
    c.Report(DPL0401, clause.span, {Quoted(name)})
        .Label(resource.span, "declared here, without an owner")
        .Help("add `owner of " + name +
              " { is team …  because \"…\" }`, or an `owner` to its system");
  }
  return true;
}

void WarnSubtrees(Checker& c, const Symbol& grant, const ClauseModel& clause) {
  if (clause.has_id) return;
  for (const SubtreeOwner& subtree : c.model.schema.resources[clause.type].subtrees) {
    if (Owns(c, grant.package, subtree.owners)) continue;
    bool reaches = clause.containers.empty() ||
                   std::any_of(clause.containers.begin(), clause.containers.end(),
                               [&](const ClauseModel::Container& container) {
                                 return container.kind == ClauseModel::Container::Kind::kEntity &&
                                        container.constant == subtree.container;
                               });
    if (!reaches) continue;
    c.Report(
         DPL0417, clause.span,
         {Called(grant), Quoted(ConstantText(c, subtree.container)), OwnersText(c, subtree.owners)})
        .Label(subtree.span, "its owner is named here")
        .Help("name the containers that are meant, or have its owner approve");
  }
}

}  // namespace

void BuildOwners(Checker& c) {
  Schema& schema = c.model.schema;
  c.type_owners.resize(schema.resources.size());
  for (Symbol* symbol : c.resource_symbols) {
    const auto& decl = static_cast<const ast::ResourceDecl&>(*symbol->decl);
    if (!decl.meta.owner.present) continue;
    // An owner who is not known is still written: the missing name is the only mistake.
    OwnerDef owner = ResolveOwner(c, decl.meta.owner, *symbol->file);
    if (!(owner == OwnerDef{})) schema.resources[symbol->index].owners = {owner};
    c.type_owners[symbol->index].own_clause = true;
    c.type_owners[symbol->index].span = decl.meta.owner_span;
  }
  std::vector<Claim> subtrees;
  for (FileScope& file : c.files) {
    for (const auto& each : file.file->decls) {
      if (each->kind != ast::DeclKind::kOwner) continue;
      Claim claim;
      if (!ReadClaim(c, static_cast<ast::OwnerDecl&>(*each), file, &claim)) continue;
      ResourceDef& resource = schema.resources[claim.type];
      std::string what = Quoted(c.Text(resource.name));
      if (claim.container != kNone) {
        auto other = std::find_if(subtrees.begin(), subtrees.end(), [&](const Claim& s) {
          return s.type == claim.type && s.container == claim.container;
        });
        if (other != subtrees.end()) {
          Dispute(c, what + " in " + Quoted(ConstantText(c, claim.container)), claim.span,
                  claim.owners, other->span, other->owners);
          continue;
        }
        subtrees.push_back(claim);
        resource.subtrees.push_back({claim.container, claim.owners, claim.span});
        continue;
      }
      TypeOwner& known = c.type_owners[claim.type];
      if (known.own_clause && resource.owners.empty()) continue;
      if (known.own_clause || known.owner_of) {
        Dispute(c, what, claim.span, claim.owners, known.span, resource.owners);
        continue;
      }
      // A package that neither declares the type nor agrees with its system's owner makes a claim
      // of its own.
      const SystemDef* system =
          resource.system == kNone ? nullptr : &schema.systems[resource.system];
      if (claim.package != resource.package && system != nullptr &&
          !(system->owner == OwnerDef{}) && !SameOwners(claim.owners, {system->owner})) {
        Dispute(c, what, claim.span, claim.owners, system->span, {system->owner});
        continue;
      }
      resource.owners = claim.owners;
      known.owner_of = true;
      known.span = claim.span;
    }
  }
  for (uint32_t t = 0; t < schema.resources.size(); ++t) {
    ResourceDef& resource = schema.resources[t];
    TypeOwner& known = c.type_owners[t];
    resource.owner_written = known.own_clause || known.owner_of;
    std::stable_sort(resource.subtrees.begin(), resource.subtrees.end(),
                     [&](const SubtreeOwner& a, const SubtreeOwner& b) {
                       return CompareConstants(c.model, a.container, b.container) < 0;
                     });
    if (resource.owner_written) continue;
    auto system =
        c.systems.find(resource.system == kNone ? std::string_view()
                                                : c.Text(schema.systems[resource.system].name));
    bool unknown = system != c.systems.end() &&
                   static_cast<const ast::SystemDecl&>(*system->second->decl).meta.owner.present;
    if (resource.system != kNone && schema.systems[resource.system].owner == OwnerDef{} &&
        unknown) {
      known.from_system = true;
    } else if (resource.system != kNone && !(schema.systems[resource.system].owner == OwnerDef{})) {
      resource.owners = {schema.systems[resource.system].owner};
      known.from_system = true;
      known.span = schema.systems[resource.system].span;
    } else if (c.packages[resource.package].owner_team != kNone) {
      resource.owners = {OwnerDef{c.packages[resource.package].owner_team, kNone}};
    }
  }
}

namespace {

// An emergency door has no approver: it is its owner's to declare, and so is lifting a forbid.
void CheckDoors(Checker& c, std::set<uint32_t>* ownerless) {
  for (uint32_t s : c.by_kind[static_cast<size_t>(StatementKind::kBreakGlass)]) {
    const Symbol& symbol = *c.statement_symbols[s];
    const StatementModel& door = c.model.statements[s];
    const auto& decl = static_cast<const ast::BreakGlassDecl&>(*symbol.decl);
    uint32_t team = c.packages[symbol.package].owner_team;
    std::set<uint32_t> foreign;
    for (const ClauseModel& clause : door.clauses) {
      const ResourceDef& resource = c.model.schema.resources[clause.type];
      if (MissesOwner(c, symbol, clause, ownerless) || resource.owners.empty()) continue;
      if (Owns(c, symbol.package, resource.owners) || team == kNone || decl.incomplete ||
          !foreign.insert(clause.type).second)
        continue;
      DiagnosticRef report = c.ReportText(
          DPL0404, clause.span,
          Quoted(c.Text(resource.name)) + " belongs to " + OwnersText(c, resource.owners) +
              ": only a package of its owner declares an emergency door to it");
      if (c.type_owners[clause.type].span.known())
        report.Label(c.type_owners[clause.type].span, "its owner is named here");
    }
    for (size_t i = 0; i < decl.lifts.size(); ++i) {
      const Symbol* forbid =
          LookupQuietly(c, SymbolKind::kForbid, decl.lifts[i].text, *symbol.file);
      if (forbid == nullptr || forbid->package == symbol.package) continue;
      const OwnerDef& owner = c.StatementOf(*forbid).owner;
      if (team == kNone || owner.team == team) continue;
      c.ReportText(DPL0404, decl.lifts[i].span,
                   Called(*forbid) + " belongs to " + c.OwnerText(owner) +
                       ": only a package of its owner declares what lifts it")
          .Label(forbid->decl->head_span, "declared here");
    }
  }
}

}  // namespace

void CheckOwnership(Checker& c) {
  const Schema& schema = c.model.schema;
  std::set<uint32_t> ownerless;
  for (uint32_t g : c.by_kind[static_cast<size_t>(StatementKind::kGrant)]) {
    const Symbol& symbol = *c.statement_symbols[g];
    const StatementModel& grant = c.model.statements[g];
    const auto& decl = static_cast<const ast::GrantDecl&>(*symbol.decl);
    std::set<uint32_t> foreign;
    for (const ClauseModel& clause : grant.clauses) {
      const ResourceDef& resource = schema.resources[clause.type];
      const TypeOwner& owner = c.type_owners[clause.type];
      std::string name(c.Text(resource.name));
      if (MissesOwner(c, symbol, clause, &ownerless)) continue;
      WarnSubtrees(c, symbol, clause);
      if (resource.owners.empty()) continue;  // written, but not known: said there
      if (Owns(c, symbol.package, resource.owners) ||
          c.packages[symbol.package].owner_team == kNone)
        continue;
      if (decl.approved_by.present || grant.imported || decl.incomplete ||
          !foreign.insert(clause.type).second)
        continue;
      DiagnosticRef report =
          c.Report(DPL0404, clause.span, {Quoted(name), OwnersText(c, resource.owners)});
      if (owner.span.known()) report.Label(owner.span, "its owner is named here");
      report.Help("add `approved by person \"…\"`, somebody of " + OwnersText(c, resource.owners));
    }
    if (c.packages[symbol.package].requires_approval && foreign.empty() &&
        !decl.approved_by.present && !grant.imported && !decl.incomplete) {
      c.ReportText(DPL0404, decl.head_span, Called(symbol) + " needs `approved by`")
          .Help(
              "this package says `requires approval`: add `approved by person \"…\"`, somebody of "
              "the owning team");
    }
    // Superseding another package's grant takes its limits away: its owner has a say (closing rule
    // 23).
    for (size_t i = 0; i < decl.supersedes.size(); ++i) {
      const Symbol* other =
          LookupQuietly(c, SymbolKind::kGrant, decl.supersedes[i].text, *symbol.file);
      if (other == nullptr || other->package == symbol.package || decl.approved_by.present)
        continue;
      if (c.packages[other->package].owner_team == c.packages[symbol.package].owner_team) continue;
      c.ReportText(DPL0404, decl.supersedes[i].span,
                   Called(*other) + " belongs to " + c.OwnerText(c.StatementOf(*other).owner) +
                       ": superseding it needs `approved by`")
          .Label(other->decl->head_span, "declared here");
    }
  }
  CheckDoors(c, &ownerless);
}

}  // namespace dpl::check
