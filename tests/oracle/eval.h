// A tree walk over annotated expressions, and the matching of clauses, as docs/semantics.md states
// them.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/check/model.h"
#include "runtime/base/instant.h"
#include "tests/oracle/value.h"
#include "tests/oracle/world.h"

namespace dpl::oracle {

enum class Mode : uint8_t { kDirect, kOnBehalfOf, kImpersonate, kStanding, kPublic, kPartner };

// Mistakes the oracle can be told to make, so that the comparison itself is tested. None is set in
// earnest.
struct Faults {
  bool forbid_needs_true = false;  // a forbid that cannot be decided does not bite
  bool unless_lifts_on_unknown = false;
  bool all_of_nothing_is_true = false;
  bool dead_grants_lose_limits = false;  // limits of expired or revoked grants no longer bind
  bool unknown_grants_lose_limits = false;
  bool superseded_by_dead = false;  // `supersedes` works though its grant adds nothing
  bool at_cap_is_over = false;
  bool or_is_strict = false;               // `T or ⊥` is ⊥
  bool known_hides_earlier = false;        // `a.b.c is known` is F when `a.b` is missing
  bool restricting_agent_is_root = false;  // in what restricts, `agent a` means the root only
  bool ceiling_of_actor_only = false;
  bool review_binds_persons = false;  // an overdue grant is lost in direct mode too
  bool cancel_keeps = false;          // a cancelled reservation stays counted
  bool members_forever = false;       // `until` is not looked at
  bool undeclared_duties_are_done = false;
  bool deputy_is_nobody = false;  // a forbid for the person who acts is not looked at
  bool partner_bounds_nothing = false;
  bool doors_never_shut = false;       // an opening has no end
  bool obligation_needs_true = false;  // an obligation that cannot be decided does not bite
};

struct TaskState {
  uint32_t shape = kNone;     // tasks of the model by ordinal
  std::string person, agent;  // qualified agent
  std::vector<std::optional<Val>> args;
  Instant opened{}, expires{};
};

// How often each kind of expression gave a value and an error: the comparison must not become
// vacuous unnoticed.
struct Seen {
  std::array<uint64_t, 64> values{}, errors{};
  std::map<std::string, uint64_t> things;  // subjects, periods, keys, modes …, by name
};
Seen& WhatWasSeen();

// ω: everything an expression can ask for.
struct Omega {
  std::optional<std::string> person;
  bool active = false;
  struct Hop {
    uint32_t agent = kNone;  // agents of the model by ordinal
    std::string name, instance;
    Instant born{};
  };
  std::vector<Hop> chain;
  Mode mode = Mode::kDirect;
  std::optional<std::string> deputy;  // the person who acts for `person`
  uint32_t partner = kNone;           // whose subject asks
  std::string partner_subject;        // "gen.p.globex/ana"
  int partner_hops = 0;
  std::string task_id;
  const TaskState* task = nullptr;
  uint32_t type = kNone, action = kNone;
  Val resource;
  std::map<std::string, Val> params;
  std::vector<std::optional<Val>> context;
  Said said;
  Instant now{};
};

class Evaluator {
 public:
  Evaluator(const check::Model& model, const World& world, const Omega& omega, const Faults& faults)
      : model_(model), schema_(model.schema), world_(world), w_(omega), faults_(faults) {}

  // `zone`: of the package that declares the statement.
  Val Eval(const ast::Expr& e, uint32_t zone);
  Truth Condition(const ast::Expr& e, uint32_t zone) { return AsTruth(Eval(e, zone)); }

  Truth HoldsRole(const std::string& person, uint32_t role, const Val* at);
  // One of the subjects; `restricting` picks the column of the table in section 3.
  Truth Subjects(const std::vector<ast::Subject>& subjects, bool restricting);
  // Type, action, id, subject, containment, where.
  Truth Match(const check::ClauseModel& clause, const check::StatementModel& statement);
  bool ReachesAction(const check::ClauseModel& clause) const;
  uint32_t ZoneOf(const check::StatementModel& s) const { return schema_.packages[s.package].zone; }

 private:
  Val Walk(const ast::Expr& e);
  Val Dispatch(const ast::Expr& e);
  Val Strict(const ast::Expr& e);  // absent is ⊥missing
  Val Path(const ast::Expr& e);
  Val Literal(const ast::Expr& e);
  Val Compare(const ast::Expr& e);
  Val Arithmetic(const ast::Expr& e);
  Val In(const ast::Expr& e);
  Val Quantifier(const ast::Expr& e);
  Val Call(const ast::Expr& e);
  Val During(const ast::Expr& e);
  const ZoneTable& Zone(uint32_t zone) const { return schema_.zones[zone == kNone ? 0 : zone]; }

  const check::Model& model_;
  const Schema& schema_;
  const World& world_;
  const Omega& w_;
  const Faults& faults_;
  uint32_t zone_ = 0;
  std::vector<Val> locals_;
};

bool IsRestricting(ClauseRole role);

}  // namespace dpl::oracle
