#include "compiler/lower/statement.h"

#include <algorithm>

#include "runtime/base/instant.h"
#include "runtime/base/result.h"

namespace dpl::lower {
namespace {

using check::ClauseModel;
using check::LimitModel;
using check::StatementModel;

class StatementLowering {
 public:
  explicit StatementLowering(Lowering* lower)
      : lower_(*lower), model_(lower->model()), program_(lower->program()) {}

  void All() {
    for (uint32_t s = 0; s < model_.statements.size(); ++s) {
      if (s > 0) {
        const StatementModel& before = model_.statements[s - 1];
        const StatementModel& here = model_.statements[s];
        DPL_CHECK(std::tie(before.kind, before.name) < std::tie(here.kind, here.name));
      }
      One(s);
    }
  }

 private:
  void One(uint32_t s) {
    const StatementModel& from = model_.statements[s];
    Statement& to = program_.statements.emplace_back();
    to.kind = from.kind;
    to.name = model_.AddString(from.name);
    to.package = from.package;
    to.owner = from.owner;
    to.because = model_.AddString(from.because);
    to.ticket = model_.AddString(from.ticket);
    to.doc = model_.AddString(from.doc);
    if (from.decl != nullptr) {
      to.span = from.decl->span;
      to.head = from.decl->head_span;
    }
    zone_ = model_.schema.packages[from.package].zone;
    to.zone = zone_;
    to.granted_us = from.granted_us;
    to.expires_us = from.expires_us;
    to.review_every_us = from.review_every_us;
    to.reviewed_us = from.reviewed_us;
    to.imported = from.imported;
    to.trusting_request = from.trusting_request;
    if (from.decl != nullptr && from.decl->kind == ast::DeclKind::kGrant) {
      to.imported_from =
          model_.AddString(static_cast<const ast::GrantDecl*>(from.decl)->imported_from.value);
    }
    Detail(from, s);
    for (const ClauseModel& clause : from.clauses) AddClause(clause, from, s);
    for (const LimitModel& limit : from.limits) AddLimit(limit, from, s);
    if (from.kind == StatementKind::kDelegation && from.clauses.empty()) LendOwnMay(s);
  }

  // ---- by kind
  void Detail(const StatementModel& from, uint32_t s) {
    auto put = [&](auto* list, auto detail) {
      DPL_CHECK(list->size() == from.ordinal);
      program_.statements[s].detail = from.ordinal;
      list->push_back(std::move(detail));
    };
    switch (from.kind) {
      case StatementKind::kGrant:
        put(&program_.grants, from.grant);
        return;
      case StatementKind::kLimit:
        put(&program_.limit_blocks, LimitBlock{});
        return;
      case StatementKind::kForbid:
        put(&program_.forbids, MakeForbid(from));
        return;
      case StatementKind::kAgent:
        agent_statements_.push_back(s);
        put(&program_.agents, from.agent);
        return;
      case StatementKind::kDelegation:
        put(&program_.delegations, MakeDelegation(from));
        return;
      case StatementKind::kTask:
        put(&program_.tasks, from.task);
        return;
      case StatementKind::kApproval:
        put(&program_.approvals, MakeApproval(from));
        return;
      case StatementKind::kSeparate:
        put(&program_.separates, MakeSeparate(from));
        return;
      case StatementKind::kPartner:
        put(&program_.partners, from.partner);
        return;
      case StatementKind::kObligation:
        put(&program_.obligations, from.obligation);
        return;
      case StatementKind::kBreakGlass:
        put(&program_.break_glasses, from.break_glass);
        return;
    }
    DPL_CHECK(!"a statement that this version does not know passed the checker");
  }

  Forbid MakeForbid(const StatementModel& from) {
    Forbid forbid;
    if (from.unless == nullptr) return forbid;
    forbid.unless_code = lower_.Expression(*from.unless, OnlyType(from), zone_);
    forbid.unless_text = model_.AddString(lower_.SourceOf(from.unless->span));
    forbid.unless_span = from.unless->span;
    return forbid;
  }

  // Without a mode of its own a delegation allows those of its agents; without `lasts`, as long as
  // the shortest of them lives.
  Delegation MakeDelegation(const StatementModel& from) {
    Delegation delegation = from.delegation;
    if (from.from != nullptr && !from.from->empty()) {
      SubjectCode subject = lower_.Subjects(*from.from, Side::kAdding, kNone);
      delegation.from_code = subject.code;
      delegation.from_text = subject.text;
      delegation.from_keys = subject.keys;
    }
    if (from.to_people != nullptr && !from.to_people->empty()) {
      SubjectCode subject = lower_.Subjects(*from.to_people, Side::kAdding, kNone);
      delegation.to_code = subject.code;
      delegation.to_text = subject.text;
    }
    bool modes_given = delegation.modes != 0;
    bool lasts_given = delegation.lasts_us != 0;
    for (uint32_t agent : delegation.to_agents) {
      const Agent& to = program_.agents[agent];
      if (!modes_given) delegation.modes |= to.modes;
      if (!lasts_given && to.lives_us != 0 &&
          (delegation.lasts_us == 0 || to.lives_us < delegation.lasts_us)) {
        delegation.lasts_us = to.lives_us;
      }
    }
    return delegation;
  }

  Approval MakeApproval(const StatementModel& from) {
    Approval approval = from.approval;
    approval.by.clear();
    for (const StatementModel::ApprovalBy& by : from.approval_by) {
      Approval::By& to = approval.by.emplace_back();
      to.count = by.count;
      to.parties = by.parties;
      if (by.subjects.empty()) continue;
      SubjectCode subject = lower_.Subjects(by.subjects, Side::kAdding, kNone);
      to.subject_code = subject.code;
      to.text = subject.text;
    }
    return approval;
  }

  Separate MakeSeparate(const StatementModel& from) {
    Separate separate = from.separate;
    auto type_of = [&](ClauseRole role) {
      for (const ClauseModel& clause : from.clauses) {
        if (clause.role == role) return clause.type;
      }
      return kNone;
    };
    if (from.by_a != nullptr) {
      separate.by_code_a = lower_.Expression(*from.by_a, type_of(ClauseRole::kSeparateA), zone_);
    }
    if (from.by_b != nullptr) {
      separate.by_code_b = lower_.Expression(*from.by_b, type_of(ClauseRole::kSeparateB), zone_);
    }
    return separate;
  }

  // ---- clauses
  static Side SideOf(ClauseRole role) {
    switch (role) {
      case ClauseRole::kLimitCovers:
      case ClauseRole::kForbidCovers:
      case ClauseRole::kObligationCovers:
      case ClauseRole::kSeparateA:
      case ClauseRole::kSeparateB:
        return Side::kRestricting;
      default:
        return Side::kAdding;
    }
  }

  void AddClause(const ClauseModel& from, const StatementModel& statement, uint32_t s) {
    Clause to;
    to.statement = s;
    to.role = from.role;
    to.row = from.row;
    to.type = from.type;
    to.actions = from.actions;
    Subject(from, statement, &to);
    to.scope_code = lower_.Scope(from);
    if (from.where != nullptr) {
      to.where_code = lower_.Expression(*from.where, from.type, zone_);
      to.where_text = model_.AddString(from.where_text);
    }
    to.ask_approval = from.ask_approval;
    to.span = from.span;
    to.subject_span = from.subject_span;
    to.where_span = from.where_span;
    Put(std::move(to));
  }

  void Subject(const ClauseModel& from, const StatementModel& statement, Clause* to) {
    static const std::vector<ast::Subject> kNobodyNamed;
    switch (from.role) {
      case ClauseRole::kAgentMay:
        to->keys = {{KeyKind::kAgent, statement.ordinal}};
        return;
      case ClauseRole::kTaskMay:
        to->keys = {{KeyKind::kTask, statement.ordinal}};
        return;
      case ClauseRole::kDelegationMay:
        to->keys = KeysOfReceivers(program_.delegations[statement.ordinal]);
        return;
      case ClauseRole::kPartnerMay:
        to->keys = {{KeyKind::kPartner, statement.ordinal}};
        return;
      case ClauseRole::kSeparateA:
        if (statement.separate.role_a == kNone) break;
        to->subject_code =
            lower_.HoldsBoth(statement.separate.role_a, statement.separate.role_b, from.type);
        to->keys = {SubjectKey{}};
        return;
      default:
        break;
    }
    const std::vector<ast::Subject>& subjects =
        from.subjects == nullptr ? kNobodyNamed : *from.subjects;
    SubjectCode subject = lower_.Subjects(subjects, SideOf(from.role), from.type);
    to->subject_code = subject.code;
    to->subject_text = subject.text;
    to->keys = subject.keys;
  }

  static std::vector<SubjectKey> KeysOfReceivers(const Delegation& delegation) {
    std::vector<SubjectKey> keys;
    for (uint32_t agent : delegation.to_agents) keys.push_back({KeyKind::kAgent, agent});
    if (keys.empty()) keys.push_back({});  // to people, who are no part of the requester's keys
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
  }

  void Put(Clause clause) {
    Statement& statement = program_.statements[clause.statement];
    statement.clauses.push_back(static_cast<uint32_t>(program_.clauses.size()));
    program_.clauses.push_back(std::move(clause));
  }

  // `delegation … to agent a` without a `may` lends what a's own `may` covers. An agent's ceiling
  // is asked as well (step 8), so lending to several agents what only one of them may do gives the
  // others nothing.
  void LendOwnMay(uint32_t s) {
    const Delegation delegation = program_.delegations[program_.statements[s].detail];
    for (uint32_t agent : delegation.to_agents) {
      // A copy of the list: Put adds clauses to the statements. Agents come before delegations.
      const std::vector<uint32_t> may = program_.statements[agent_statements_[agent]].clauses;
      for (uint32_t c : may) {
        Clause copy = program_.clauses[c];
        DPL_CHECK(copy.role == ClauseRole::kAgentMay);
        copy.statement = s;
        copy.role = ClauseRole::kDelegationMay;
        copy.keys = KeysOfReceivers(delegation);
        Put(std::move(copy));
      }
    }
  }

  // ---- limits
  // The resource type of all clauses, when they agree.
  static uint32_t OnlyType(const StatementModel& statement) {
    uint32_t type = kNone;
    for (const ClauseModel& clause : statement.clauses) {
      if (type != kNone && clause.type != type) return kNone;
      type = clause.type;
    }
    return type;
  }

  void AddLimit(const LimitModel& from, const StatementModel& statement, uint32_t s) {
    const ast::LimitClause& clause = *from.clause;
    uint32_t type = OnlyType(statement);
    Limit to;
    to.statement = s;
    to.name = model_.AddString(from.name);
    to.identity = model_.AddString(from.identity);
    to.measure = model_.AddString(clause.measure.text);
    to.requests = from.measure_type == kNone;
    to.no_limit = clause.no_limit;
    to.no_limit_because = model_.AddString(clause.no_limit_because.value);
    if (!to.no_limit) {
      DPL_CHECK(from.cap != nullptr);
      to.cap_code = lower_.Expression(*from.cap, type, zone_);
    }
    to.period = static_cast<LimitPeriod>(clause.period);
    if (to.period == LimitPeriod::kSliding) {
      Result<Duration> window = ParseDuration(clause.window.text);
      DPL_CHECK(window.ok());
      to.window_us = window->us;
    }
    to.zone = zone_;
    to.keys = from.keys;
    for (LimitKeyPart& part : to.keys) {
      if (part.kind != KeyPartKind::kCode) continue;
      DPL_CHECK(part.code < from.key_exprs.size());
      part.code = lower_.Expression(*from.key_exprs[part.code], type, zone_);
    }
    for (const LimitModel::Tier& tier : from.tiers) {
      LimitTier& out = to.tiers.emplace_back();
      out.approval = tier.approval;
      if (tier.up_to != nullptr) out.up_to_code = lower_.Expression(*tier.up_to, type, zone_);
    }
    to.span = clause.span;
    program_.statements[s].limits.push_back(static_cast<uint32_t>(program_.limits.size()));
    program_.limits.push_back(std::move(to));
  }

  Lowering& lower_;
  check::Model& model_;
  Program& program_;
  std::vector<uint32_t> agent_statements_;  // by ordinal
  uint32_t zone_ = 0;
};

}  // namespace

void LowerStatements(Lowering* lower) { StatementLowering(lower).All(); }

}  // namespace dpl::lower
