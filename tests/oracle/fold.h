// One run of the fold: the steps as member functions, in order. Internal to the oracle.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/oracle/decide.h"

namespace dpl::oracle {

using check::ClauseModel;
using check::LimitModel;
using check::StatementModel;

class Fold {
 public:
  Fold(Oracle* oracle, const Request& request, Instant now);
  Answer Run();

 private:
  // Each gives true to go on; else `answer_` holds the reason.
  bool Typed();       // 1
  bool TakeParent();  //   of an action that makes the resource
  bool OtherRealm();
  bool PartnerIdentity();
  static bool Named(const std::vector<std::string>& list, std::string_view name);
  bool Identity();    // 2
  bool FixMode();     // 3
  bool NotRevoked();  // 4
  bool Linked();      // 5
  bool DoorOpens();   // 6, of the emergency door that is named
  bool NotForbidden();
  bool Forbids(const StatementModel& s);
  bool Authority();  // 7
  bool Ceilings();   // 8
  bool Delegated();  // 9
  bool InTask();     // 10
  bool Separated();  // 11
  bool Limits();     // 12
  bool Duties();     // 13
  bool Approved();   // 14
  bool Commit();     // 15

  bool Deny(Reason reason);
  // Several things are wrong within one step: any of them may name it.
  bool DenyAny(const std::vector<Reason>& reasons);

  const StatementModel* AgentOf(uint32_t ordinal) const {
    return ByOrdinal(StatementKind::kAgent, ordinal);
  }
  const StatementModel* ByOrdinal(StatementKind kind, uint32_t ordinal) const;
  void ForEach(StatementKind kind, const std::function<void(const StatementModel&)>& visit) const;
  // Section 3: the Kleene `or` over the clauses of this role.
  Truth M(const StatementModel& s, ClauseRole role);
  std::vector<const ClauseModel*> DelegationClauses(const StatementModel& d) const;
  Truth DelegationM(const StatementModel& d);
  bool PartnerBounds();
  // As if the person who acts for the subject had asked: what `ask` gives then.
  template <class Ask>
  auto AsDeputy(Ask ask) {
    std::optional<std::string> subject = w_.person;
    std::swap(w_.said.person, deputy_said_);
    w_.person = w_.deputy;
    auto answer = ask();
    w_.person = subject;
    std::swap(w_.said.person, deputy_said_);
    return answer;
  }
  std::vector<std::string> OpeningKey() const;
  const Omega::Hop* Receiver() const;  // the first receiving agent
  bool Live(const StatementModel& grant, Reason* why) const;
  bool PersonActive(const std::string& id) const;

  // limits.cc
  struct Bound {
    const StatementModel* statement;
    const LimitModel* limit;
    bool checked;
    bool deputy = false;
  };
  void Gather();
  void Add(const StatementModel& s, bool checked_all, bool deputy = false);
  bool Supersedes(const StatementModel& b, const StatementModel& a) const;
  bool Superseded(const StatementModel& grant, const LimitModel& limit) const;
  bool MustBeLimitedIsMet();
  void Check(const Bound& bound);
  void Tell(const Line& line, bool deputy);
  std::optional<int64_t> Quantity(const ast::Expr* e, uint32_t currency, const StatementModel& s,
                                  bool* other_currency);
  bool Declares(const std::string& measure) const;
  std::vector<std::string> CounterNames(const Bound& bound, const std::string& unit);
  Instant WindowStart(const LimitModel& limit, const StatementModel& s) const;
  int64_t WindowUs(const LimitModel& limit, const StatementModel& s) const;
  int64_t Used(const std::string& counter, const LimitModel& limit, const StatementModel& s) const;
  void PickBinding();

  // approvals.cc
  bool EvidenceFor(uint32_t approval, Reason* why);
  std::string ManagerOf(const std::optional<std::string>& person) const;
  bool Signed(const StatementModel& approval, const std::vector<std::string>& approvers,
              Instant given);
  std::string Binding() const;
  std::map<std::string, Val> Measures() const;
  bool IsMeasure(const std::string& param) const;
  std::string Digest() const;
  std::string ChargeKey() const;

  Oracle& oracle_;
  const check::Model& model_;
  const Schema& schema_;
  const World& world_;
  State& state_;
  const Faults& faults_;
  const Request& r_;
  Omega w_;
  Evaluator eval_;
  Answer answer_;
  bool unresolved_ = false;  // a subject nobody knows: only `public` grants are left
  std::vector<const StatementModel*> adding_;  // A
  std::set<uint32_t> needed_;                  // approvals by ordinal
  std::vector<Bound> bounds_;
  struct Charge {
    std::string counter;
    Instant window{};
    int64_t quantity = 0;
    bool returns = true;
    int64_t lasts_us = 0;  // the window
  };
  std::vector<Charge> charges_;
  uint64_t own_ = 0;  // the open reservation that this request replays
  bool replay_ = false;
  std::vector<std::string> used_approvals_;
  std::vector<State::Act> acts_;
  std::vector<std::optional<Val>> deputy_said_;  // nothing: the caller speaks of the subject only
  const StatementModel* door_ = nullptr;         // the emergency door that is open
};

}  // namespace dpl::oracle
