// What only the facts can tell (`--facts`): approvers outside the owning team, owners who left,
// empty teams, approvals that nobody could give, and the people for whom two limits disagree.
#include "compiler/check/facts_check.h"

#include <algorithm>

#include "compiler/check/clauses.h"
#include "compiler/check/phases.h"
#include "compiler/check/statement.h"
#include "runtime/base/text.h"

namespace dpl::check {
namespace {

std::string_view Last(std::string_view name) {
  size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

}  // namespace

FactsView::FactsView(const Checker& c) : c_(c), facts_(*c.options.facts) {
  for (const FactsInput::Person& person : facts_.persons) {
    if (person.status == "left") left_.insert(person.id);
  }
}

// A name in the facts: qualified, or short.
bool FactsView::Names(std::string_view written, Str qualified) const {
  std::string_view full = c_.Text(qualified);
  return written == full || written == Last(full);
}

std::set<std::string> FactsView::TeamPeople(uint32_t team) const {
  std::set<uint32_t> seen;
  std::set<std::string> people;
  AddTeam(team, &seen, &people);
  return people;
}

void FactsView::AddTeam(uint32_t team, std::set<uint32_t>* seen,
                        std::set<std::string>* people) const {
  if (!seen->insert(team).second) return;
  const auto& teams = c_.model.schema.teams;
  for (const FactsInput::Members& members : facts_.members) {
    if (!members.is_role && Names(members.name, teams[team].name))
      AddMembers(members, seen, people);
  }
  for (uint32_t inner = 0; inner < teams.size(); ++inner) {
    const auto& within = teams[inner].within;
    if (std::find(within.begin(), within.end(), team) != within.end()) AddTeam(inner, seen, people);
  }
}

void FactsView::AddMembers(const FactsInput::Members& members, std::set<uint32_t>* seen,
                           std::set<std::string>* people) const {
  const auto& teams = c_.model.schema.teams;
  for (const FactsInput::Member& member : members.members) {
    if (!member.is_team) {
      if (!left_.contains(member.id)) people->insert(member.id);
      continue;
    }
    for (uint32_t team = 0; team < teams.size(); ++team) {
      if (Names(member.id, teams[team].name)) AddTeam(team, seen, people);
    }
  }
}

std::vector<FactsView::Holder> FactsView::Holders(uint32_t role) const {
  std::vector<Holder> holders;
  std::set<uint32_t> giving = RolesGiving(role);
  for (const FactsInput::Members& members : facts_.members) {
    if (!members.is_role) continue;
    bool gives = std::any_of(giving.begin(), giving.end(), [&](uint32_t r) {
      return Names(members.name, c_.model.schema.roles[r].name);
    });
    if (!gives) continue;
    std::set<uint32_t> seen;
    std::set<std::string> people;
    AddMembers(members, &seen, &people);
    for (const std::string& person : people)
      holders.push_back({person, members.scope_type, members.scope_id});
  }
  return holders;
}

std::set<uint32_t> FactsView::RolesGiving(uint32_t role) const {
  std::set<uint32_t> roles{role};
  const auto& all = c_.model.schema.roles;
  for (bool grown = true; grown;) {
    grown = false;
    for (uint32_t r = 0; r < all.size(); ++r) {
      bool gives = std::any_of(all[r].includes.begin(), all[r].includes.end(),
                               [&](uint32_t i) { return roles.contains(i); });
      if (gives && roles.insert(r).second) grown = true;
    }
  }
  return roles;
}

std::set<std::string> FactsView::RolePeople(uint32_t role) const {
  std::set<uint32_t> roles = RolesGiving(role);
  const auto& all = c_.model.schema.roles;
  std::set<uint32_t> seen;
  std::set<std::string> people;
  for (const FactsInput::Members& members : facts_.members) {
    if (!members.is_role) continue;
    for (uint32_t r : roles) {
      if (Names(members.name, all[r].name)) AddMembers(members, &seen, &people);
    }
  }
  return people;
}

std::set<std::string> FactsView::People(const ast::Subject& subject) const {
  switch (subject.kind) {
    case ast::Subject::Kind::kTeam:
      return subject.ref == kNone ? std::set<std::string>() : TeamPeople(subject.ref);
    case ast::Subject::Kind::kRole:
      return subject.ref == kNone ? std::set<std::string>() : RolePeople(subject.ref);
    case ast::Subject::Kind::kPerson:
      return {subject.id.value};
    default:
      return {};
  }
}

namespace {

// DPL0410: closing the gap between a name in `approved by` and the team that had to agree.
void CheckApprovers(Checker& c, const FactsView& facts) {
  for (uint32_t g : c.by_kind[static_cast<size_t>(StatementKind::kGrant)]) {
    const StatementModel& grant = c.model.statements[g];
    const auto& decl = static_cast<const ast::GrantDecl&>(*grant.decl);
    if (!decl.approved_by.present) continue;
    for (uint32_t type : TypesOf(grant.clauses)) {
      const ResourceDef& resource = c.model.schema.resources[type];
      bool entitled = resource.owners.empty();
      std::vector<std::string> owners;
      for (const OwnerDef& owner : resource.owners) {
        owners.push_back(c.OwnerText(owner));
        if (owner.person != kNone)
          entitled |= c.model.constants[owner.person].text == decl.approved_by.value;
        if (owner.team == kNone) continue;
        const OwnerDef& head = c.model.schema.teams[owner.team].owner;
        entitled |=
            head.person != kNone && c.model.constants[head.person].text == decl.approved_by.value;
        entitled |= facts.TeamPeople(owner.team).contains(decl.approved_by.value);
      }
      if (entitled) continue;
      c.Report(DPL0410, decl.approved_by.span,
               {"person " + Quote(decl.approved_by.value), Listed(owners),
                Quoted(c.Text(resource.name))})
          .Help("have somebody of " + Listed(owners) + " approve it");
      break;
    }
  }
}

// DPL0411: an accountable person who left, a team that owns something and has nobody.
void CheckAnswerers(Checker& c, const FactsView& facts) {
  for (uint32_t a : c.by_kind[static_cast<size_t>(StatementKind::kAgent)]) {
    const auto& decl = static_cast<const ast::AgentDecl&>(*c.model.statements[a].decl);
    if (!decl.accountable.present || !facts.Left(decl.accountable.value)) continue;
    c.Report(
         DPL0411, decl.accountable.span,
         {"person " + Quote(decl.accountable.value), "agent " + Quoted(decl.name.text), "has left"})
        .Help("name somebody who is there");
  }
  for (uint32_t t = 0; t < c.model.schema.teams.size(); ++t) {
    const TeamDef& team = c.model.schema.teams[t];
    if (team.owner.person == kNone || !facts.Left(c.model.constants[team.owner.person].text))
      continue;
    c.Report(DPL0411, c.team_symbols[t]->decl->head_span,
             {c.OwnerText(team.owner), "team " + Quoted(c.team_symbols[t]->name), "has left"})
        .Help("name another owner");
  }
  std::set<uint32_t> owning;
  for (const ResourceDef& resource : c.model.schema.resources) {
    for (const OwnerDef& owner : resource.owners) {
      if (owner.team != kNone) owning.insert(owner.team);
    }
  }
  for (uint32_t t : owning) {
    if (c.model.schema.teams[t].owner.person != kNone || !facts.TeamPeople(t).empty()) continue;
    c.Report(
        DPL0411, c.team_symbols[t]->decl->head_span,
        {"team " + Quoted(c.team_symbols[t]->name), "what it owns", "has no members and no owner"});
  }
}

// DPL0704.
void CheckApprovals(Checker& c, const FactsView& facts) {
  for (uint32_t a : c.by_kind[static_cast<size_t>(StatementKind::kApproval)]) {
    const StatementModel& approval = c.model.statements[a];
    for (const StatementModel::ApprovalBy& by : approval.approval_by) {
      std::set<std::string> people;
      bool open = by.parties != 0;
      for (const ast::Subject& subject : by.subjects) {
        open |= subject.kind == ast::Subject::Kind::kEveryone;
        open |= subject.kind == ast::Subject::Kind::kRole && subject.ref != kNone &&
                c.model.roles[subject.ref].where != nullptr;
        for (const std::string& person : facts.People(subject)) {
          if (!facts.Left(person)) people.insert(person);
        }
      }
      if (open || people.size() >= by.count) continue;
      c.Report(DPL0704, approval.decl->head_span, {Quoted(approval.decl->name.text)})
          .Help("it needs " + std::to_string(by.count) + ", and the facts know " +
                std::to_string(people.size()) + " who could");
    }
  }
}

// DPL0711: the same person on both sides of a `separate` by role. A scoped role counts where it is
// held: at one object, or everywhere.
void CheckSeparateHolders(Checker& c, const FactsView& facts) {
  for (uint32_t s : c.by_kind[static_cast<size_t>(StatementKind::kSeparate)]) {
    const StatementModel& statement = c.model.statements[s];
    const Separate& separate = statement.separate;
    if (separate.role_a == kNone) continue;
    const auto& decl = static_cast<const ast::SeparateDecl&>(*statement.decl);
    std::vector<FactsView::Holder> first = facts.Holders(separate.role_a);
    std::vector<FactsView::Holder> second = facts.Holders(separate.role_b);
    std::set<std::string> told;
    for (const FactsView::Holder& a : first) {
      for (const FactsView::Holder& b : second) {
        bool together = a.type.empty() || b.type.empty() || (a.type == b.type && a.id == b.id);
        if (a.person != b.person || !together || !told.insert(a.person).second) continue;
        c.Report(DPL0711, decl.roles.back().span,
                 {"person " + Quote(a.person), "role " + Quoted(decl.roles[0].text),
                  "role " + Quoted(decl.roles[1].text)})
            .Help(
                "take one of the roles from them; until then nothing that either role is granted "
                "is open to them");
      }
    }
  }
}

// DPL0415: somebody is named for a system in which they have no account to do it with.
void CheckAccounts(Checker& c, const FactsView& facts) {
  std::set<std::pair<std::string, std::string>> have;  // person, system
  for (const FactsInput::Account& account : c.options.facts->accounts)
    have.emplace(account.person, Last(account.system));
  for (uint32_t g : c.by_kind[static_cast<size_t>(StatementKind::kGrant)]) {
    for (const ClauseModel& clause : c.model.statements[g].clauses) {
      uint32_t index = c.model.schema.resources[clause.type].system;
      if (index == kNone || clause.subjects == nullptr) continue;
      const SystemDef& system = c.model.schema.systems[index];
      if (!system.has_account) continue;
      std::string name(c.Text(system.name));
      for (const ast::Subject& subject : *clause.subjects) {
        if (subject.kind != ast::Subject::Kind::kPerson || facts.Left(subject.id.value) ||
            have.contains({subject.id.value, std::string(Last(name))}))
          continue;
        c.Report(DPL0415, subject.span,
                 {"person " + Quote(subject.id.value), "system " + Quoted(name)})
            .Label(system.span, "which asks for an account")
            .Help("link an account to them, or grant it to somebody who has one");
      }
    }
  }
}

}  // namespace

void CheckFacts(Checker& c) {
  if (c.options.facts == nullptr) return;
  FactsView facts(c);
  if (c.options.facts->has_memberships) {
    CheckApprovers(c, facts);
    CheckApprovals(c, facts);
    CheckSeparateHolders(c, facts);
  }
  CheckAnswerers(c, facts);
  if (c.options.facts->has_accounts) CheckAccounts(c, facts);
}

}  // namespace dpl::check
