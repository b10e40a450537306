// See plan.h. A permit needs a grant (or an emergency door) whose clause is T; with agents also a
// ceiling of each, and on behalf of a person a delegation from them. So the candidates are
// grants ∩ ceilings ∩ delegations, each the union over its clauses.
#include "runtime/search/plan.h"

#include <algorithm>

#include "runtime/search/invert.h"

namespace dpl {
namespace {

using Items = std::vector<IndexEntry::Item>;

bool IsForeign(const Request& request) {
  return !request.subject_issuer.empty() || request.subject_type.starts_with("partner:");
}

class Planner {
 public:
  Planner(const SearchScene& scene, const Tired& tired, SearchPlan* plan,
          Inverter::Searched searched)
      : scene_(scene),
        tired_(tired),
        snapshot_(scene.index.snapshot()),
        program_(snapshot_.program()),
        entry_(program_.EntryOf(scene.type, scene.action)),
        plan_(*plan),
        space_(plan->space) {
    if (plan_.unions.empty()) {
      plan_.made = scene.now;
      plan_.until = Instant{INT64_MAX};
    }
    given_.searched = searched;
    given_.type = scene.type;
    given_.makes = program_.schema.resources[scene.type].actions[scene.action].makes;
    given_.resource = &scene.resource;
    foreign_ = IsForeign(scene.request);
  }

  const Candidates* Persons() { return Whole(); }
  const Candidates* Resources() {
    FindWho();
    return nobody_at_all_ ? space_.Empty() : Whole();
  }

 private:
  const Candidates* Whole() {
    std::vector<const Candidates*> all;
    for (auto part : {&Planner::Sources, &Planner::Chain, &Planner::Delegated}) {
      all.push_back((this->*part)());
      if (all.back() == nullptr) return nullptr;
    }
    return space_.And(all);
  }

  // Who asks, as step 2 will find them; where that is not plain, nobody is ruled out.
  void FindWho() {
    const Request& r = scene_.request;
    constexpr std::string_view kAccount = "account:";
    if (foreign_) {
      given_.person_open = true;
    } else if (snapshot_.IsPersonWire(r.subject_type)) {
      Result<std::string_view> id = snapshot_.CheckPersonId(r.subject_id);
      given_.person = id.ok() ? snapshot_.FindPerson(*id) : nullptr;
    } else if (r.subject_type.starts_with(kAccount)) {
      uint32_t system = FindSystem(program_.schema, r.subject_type.substr(kAccount.size()));
      std::span<const AccountFact> claims;
      if (system != kNone) claims = snapshot_.FindAccounts(system, r.subject_id);
      for (const AccountFact& claim : claims) {
        if (!SameEntity(*claim.person, *claims[0].person)) nobody_at_all_ = true;  // ambiguous
      }
      if (!claims.empty()) given_.person = snapshot_.Latest(claims[0].person);
    }
    if (given_.person != nullptr && given_.person->person == nullptr) given_.person = nullptr;
    if (given_.person_open) return;
    keys_ = {{KeyKind::kAny, 0}, {KeyKind::kEveryone, 0}, {KeyKind::kPublic, 0}};
    if (given_.person != nullptr) {
      const PersonFacts& facts = *given_.person->person;
      if (facts.literal != kNone) keys_.push_back({KeyKind::kPerson, facts.literal});
      for (const Membership& m : facts.teams) keys_.push_back({KeyKind::kTeam, m.team});
      for (const Holding& h : facts.roles) keys_.push_back({KeyKind::kRole, h.role});
    }
    for (int i = 0; i < r.hop_count; ++i) {
      uint32_t agent = snapshot_.FindAgent(r.hops[i].agent);
      if (agent != kNone) keys_.push_back({KeyKind::kAgent, agent});
    }
    std::sort(keys_.begin(), keys_.end());
    keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
  }

  // ---------------------------------------------------------------- clauses

  // Not in force now; and until when that is so.
  bool Over(uint32_t statement) {
    const Statement& s = program_.statements[statement];
    if (s.kind != StatementKind::kGrant) return false;
    for (int64_t turn : {s.granted_us, s.expires_us}) {
      if (turn > scene_.now.us) plan_.until.us = std::min(plan_.until.us, turn);
    }
    return s.granted_us > scene_.now.us || s.expires_us <= scene_.now.us;
  }

  // Whom the index finds a clause by, where its own words say no more.
  const Candidates* OfKeys(const Clause& clause) {
    std::vector<const Candidates*> any;
    for (const SubjectKey& key : clause.keys) {
      switch (key.kind) {
        case KeyKind::kPerson:
          any.push_back(space_.One(scene_.index.RankOfPerson(program_.constants[key.id].text)));
          break;
        case KeyKind::kTeam:
          any.push_back(space_.Looked(scene_.index.InTeam(key.id)));
          break;
        case KeyKind::kRole:
          any.push_back(space_.Looked(scene_.index.InRole(key.id)));
          break;
        default:
          return space_.All();
      }
    }
    return space_.Or(any);
  }

  const Candidates* OfClause(Inverter* inverter, const Clause& clause, uint32_t also = kNone) {
    ++plan_.clauses;
    const Candidates* scope = inverter->Of(clause.scope_code);
    if (scope->IsEmpty()) return scope;
    const Candidates* subject = inverter->Of(clause.subject_code);
    if (subject->IsEmpty()) return subject;
    if (also != kNone) subject = space_.And({subject, inverter->Of(also)});
    if (given_.searched == Inverter::Searched::kPersons && subject->IsAll() && !foreign_ &&
        clause.role == ClauseRole::kGrantMay)
      subject = OfKeys(clause);
    return space_.And({scope, subject, inverter->Of(clause.where_code)});
  }

  // The clauses of a role that the asking side can be found by; all, where that side is searched.
  std::vector<uint32_t> ClausesOf(ClauseRole role) const {
    const Items& items = entry_.items[static_cast<size_t>(role)];
    std::vector<uint32_t> clauses;
    if (keys_.empty()) {
      for (const IndexEntry::Item& item : items) clauses.push_back(item.clause);
    } else {
      for (const SubjectKey& key : keys_) AddKey(items, key, &clauses);
    }
    std::sort(clauses.begin(), clauses.end());
    clauses.erase(std::unique(clauses.begin(), clauses.end()), clauses.end());
    return clauses;
  }
  static void AddKey(const Items& items, SubjectKey key, std::vector<uint32_t>* clauses) {
    auto at = std::lower_bound(items.begin(), items.end(), IndexEntry::Item{key, 0});
    for (; at != items.end() && at->key == key; ++at) clauses->push_back(at->clause);
  }

  // The union of what `each` says of a clause (null: nothing), from where the last page stopped.
  // Null: there is more to do.
  template <class Each>
  const Candidates* Union(const std::vector<uint32_t>& clauses, const Each& each) {
    if (plan_.unions.size() == unions_) plan_.unions.emplace_back();
    SearchPlan::Union& u = plan_.unions[unions_++];
    while (u.made == nullptr && u.next < clauses.size()) {
      if (tired_ && tired_()) return nullptr;
      const Candidates* one = each(program_.clauses[clauses[u.next++]]);
      if (one == nullptr) continue;
      u.any.push_back(one);
      if (one->IsAll()) u.made = one;
    }
    if (u.made == nullptr) u.made = space_.Or(u.any);
    u.any = {};
    return u.made;
  }

  // What a permit can rest on.
  const Candidates* Sources() {
    Inverter inverter(scene_.index, &space_, given_);
    const Candidates* grants =
        Union(ClausesOf(ClauseRole::kGrantMay), [&](const Clause& clause) -> const Candidates* {
          return Over(clause.statement) ? nullptr : OfClause(&inverter, clause);
        });
    // An emergency door says in code of its own who may use it.
    if (grants != nullptr && !scene_.request.break_glass.empty() &&
        !entry_.items[static_cast<size_t>(ClauseRole::kBreakGlassMay)].empty())
      return space_.All();
    return grants;
  }

  // What every agent of our own may do at most.
  const Candidates* Chain() {
    if (foreign_) return space_.All();
    std::vector<const Candidates*> all;
    Inverter inverter(scene_.index, &space_, given_);
    for (int i = 0; i < scene_.request.hop_count; ++i) {
      const Request::Hop& hop = scene_.request.hops[i];
      if (hop.is_person) continue;
      uint32_t agent = snapshot_.FindAgent(hop.agent);
      if (agent == kNone) return space_.Empty();  // an agent nobody knows may do nothing
      std::vector<uint32_t> clauses;
      AddKey(entry_.items[static_cast<size_t>(ClauseRole::kAgentMay)], {KeyKind::kAgent, agent},
             &clauses);
      all.push_back(
          Union(clauses, [&](const Clause& clause) { return OfClause(&inverter, clause); }));
      if (all.back() == nullptr) return nullptr;
      if (all.back()->IsEmpty()) break;
    }
    return space_.And(all);
  }

  // From a person to the first agent something must have been handed.
  const Candidates* Delegated() {
    const Request& r = scene_.request;
    bool people = std::any_of(r.hops.begin(), r.hops.begin() + r.hop_count,
                              [](const Request::Hop& hop) { return hop.is_person; });
    bool of_person = given_.searched == Inverter::Searched::kPersons || given_.person != nullptr;
    if (foreign_ || people || r.hop_count == 0 || !of_person) return space_.All();
    uint32_t agent = snapshot_.FindAgent(r.hops[0].agent);
    if (agent == kNone) return space_.Empty();
    Inverter inverter(scene_.index, &space_, given_);
    std::vector<uint32_t> clauses;
    AddKey(entry_.items[static_cast<size_t>(ClauseRole::kDelegationMay)], {KeyKind::kAgent, agent},
           &clauses);
    return Union(clauses, [&](const Clause& clause) {
      const Delegation& d = program_.delegations[program_.statements[clause.statement].detail];
      return OfClause(&inverter, clause, d.from_code);
    });
  }

  const SearchScene& scene_;
  const Tired& tired_;
  size_t unions_ = 0;  // asked for
  const Snapshot& snapshot_;
  const Program& program_;
  const IndexEntry& entry_;
  SearchPlan& plan_;
  CandidateSpace& space_;
  Inverter::Given given_;
  bool foreign_ = false;  // another realm's subject, or one that only step 2 can place
  bool nobody_at_all_ = false;
  std::vector<SubjectKey> keys_;  // what the asking side can be found by; empty: not known
};

}  // namespace

void PlanPersons(const SearchScene& scene, const Tired& tired, SearchPlan* plan) {
  plan->candidates = Planner(scene, tired, plan, Inverter::Searched::kPersons).Persons();
}

void PlanResources(const SearchScene& scene, const Tired& tired, SearchPlan* plan) {
  plan->candidates = Planner(scene, tired, plan, Inverter::Searched::kResources).Resources();
}

bool TaskPerson(const SearchScene& scene, uint32_t* rank) {
  const Request& r = scene.request;
  if (IsForeign(r) || r.task.empty() || r.hop_count == 0 || r.hops[0].is_person) return false;
  std::shared_ptr<const TaskRecord> task = scene.state.FindTask(r.task);
  *rank =
      task == nullptr || task->person.empty() ? kNoRank : scene.index.RankOfPerson(task->person);
  return true;
}

}  // namespace dpl
