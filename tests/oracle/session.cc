// Engine and oracle side by side; see session.h.
#include "tests/oracle/session.h"

#include <algorithm>
#include <sstream>

#include "runtime/decide/approval.h"
#include "runtime/decide/duty.h"
#include "runtime/decide/engine.h"
#include "runtime/decide/kept_tasks.h"
#include "runtime/facts/snapshot.h"
#include "runtime/state/memory_store.h"
#include "runtime/state/seed.h"

namespace dpl::oracle {

namespace {

class Runner {
 public:
  Runner(const Compiled& compiled, const World0& world, const Faults& faults, Tally* tally)
      : compiled_(compiled),
        program_(*compiled.program),
        world_(world),
        oracle_(compiled.model, faults),
        tally_(*tally),
        now_(world.start) {}

  std::string Run(size_t* at) {
    Result<std::unique_ptr<Snapshot>> built =
        Snapshot::Build(compiled_.program, world_.facts, now_);
    if (!built.ok()) return "facts refused: " + built.error().message;
    snapshot_ = built.take();
    KeepTasksOf(&scratch_, snapshot_);  // as the server does
    oracle_.SetFacts(world_.facts, now_);
    for (const FactsInput::Consent& c : world_.consents) {
      if (std::string wrong = Consent(c); !wrong.empty()) return wrong;
    }
    for (*at = 0; *at < world_.events.size(); ++*at) {
      if (std::string wrong = Do(world_.events[*at]); !wrong.empty()) return wrong;
    }
    return {};
  }

 private:
  std::string Do(const Event& e) {
    switch (e.kind) {
      case Event::Kind::kAsk:
        return OnAsk(e);
      case Event::Kind::kAdvance:
        now_ = Instant{now_.us + e.advance_us};
        return {};
      case Event::Kind::kRevoke: {
        std::optional<Instant> before;
        if (e.before_us) before = Instant{now_.us + *e.before_us};
        Revocation revocation;
        revocation.kind = e.revoked;
        revocation.name = e.name;
        revocation.before = before;
        revocation.at = now_;
        store_.Revoke(revocation);
        oracle_.state().Revoke(e.revoked, e.name, before, now_);
        return {};
      }
      case Event::Kind::kCancel:
      case Event::Kind::kConfirm:
        return End(e.kind == Event::Kind::kCancel);
      case Event::Kind::kApprove:
        return Approve(e);
      case Event::Kind::kTask: {
        FactsInput seeds;
        seeds.tasks.push_back(e.task);
        seeds.tasks.back().opened = now_;
        Status s = SeedState(*snapshot_, seeds, &store_, now_);
        bool opened = oracle_.OpenTask(seeds.tasks.back());
        return s.ok() == opened ? ""
                                : "opening a task: engine " + (s.ok() ? "ok" : s.error().message) +
                                      ", oracle " + std::to_string(opened);
      }
      case Event::Kind::kConsent: {
        FactsInput::Consent c = e.consent;
        c.at = now_;
        return Consent(c);
      }
    }
    return {};
  }

  std::string Consent(const FactsInput::Consent& c) {
    if (!std::any_of(compiled_.model.statements.begin(), compiled_.model.statements.end(),
                     [&](const auto& s) { return s.name == c.delegation; }))
      return {};
    FactsInput seeds;
    seeds.consents.push_back(c);
    Status s = SeedState(*snapshot_, seeds, &store_, now_);
    if (!s.ok()) return "consent refused: " + s.error().message;
    oracle_.state().consents[{c.delegation, c.person}] = {c.at, c.whole_day};
    return {};
  }

  // The last reservation, soon after it was made.
  std::string End(bool cancel) {
    if (engine_reservation_ == 0 || now_ >= deadline_ || caller_.empty()) return {};
    int64_t actual = 0;
    for (const std::string& counter : oracle_.state().reservations[oracle_reservation_].counters) {
      for (const State::Charged& c : oracle_.state().counters[counter]) {
        if (c.reservation == oracle_reservation_ && c.returns) actual = c.quantity / 2;
      }
    }
    Status s = cancel ? store_.Cancel(engine_reservation_, caller_, now_)
                      : store_.Confirm(engine_reservation_, caller_, actual, now_);
    oracle_.state().Saw(now_);
    bool ok =
        cancel ? oracle_.Cancel(oracle_reservation_) : oracle_.Confirm(oracle_reservation_, actual);
    return s.ok() == ok ? ""
                        : std::string(cancel ? "cancel" : "confirm") + ": engine " +
                              (s.ok() ? "ok" : s.error().code) + ", oracle " + std::to_string(ok);
  }

  std::string Approve(const Event& e) {
    if (decision_ == nullptr || decision_->outcome != OutcomeKind::kAsk || e.approvers.empty())
      return {};
    std::string id = "approval-" + std::to_string(++approvals_);
    ApprovalRecord record = MakeApproval(program_, *decision_, id, e.approvers, now_);
    State::Approval mine;
    for (const check::StatementModel& s : compiled_.model.statements) {
      if (s.kind != StatementKind::kApproval || s.name != record.approval) continue;
      mine.approval = s.ordinal;
      mine.uses_left = s.approval.good_for;
      if (s.approval.good_within_us != 0)
        mine.expires = Instant{now_.us + s.approval.good_within_us};
    }
    mine.given = now_;
    mine.approvers = e.approvers;
    mine.binding = answer_.approval_binding;
    mine.measures = answer_.measures;
    oracle_.state().approvals[id] = mine;
    approval_id_ = id;
    Status s = store_.RecordApproval(record);
    return s.ok() ? "" : "approval refused: " + s.error().message;
  }

  // A run that nobody has seen is born now.
  Request Asked(const Event& e) {
    Request r = gen::ToRequest(e.ask, now_);
    for (int h = 0; h < r.hop_count; ++h) {
      const Ask::Hop& hop = e.ask.hops[static_cast<size_t>(h)];
      if (!oracle_.state().instances.contains({hop.agent, hop.instance}))
        r.hops[static_cast<size_t>(h)].born = now_;
    }
    if (e.with_approval) r.Present(approval_id_);
    return r;
  }

  std::string OnAsk(const Event& e) {
    const Ask& a = e.ask;
    for (size_t h = 1; e.record_handoffs && h < a.hops.size(); ++h) {
      if (a.subject_type.starts_with("partner:") || !a.issuer.empty()) break;
      const Ask::Hop &before = a.hops[h - 1], &child = a.hops[h];
      Ask::Hop parent = before;
      if (before.is_person) parent.agent = "person:" + before.agent;
      Status s = store_.RecordHandoff(parent.agent, parent.instance, child.agent, child.instance,
                                      e.handoff_in_task ? a.task : "");
      bool ok = oracle_.RecordHandoff(parent.agent, parent.instance, child.agent, child.instance,
                                      e.handoff_in_task ? a.task : "");
      if (s.ok() != ok)
        return "hand-off: engine " + std::string(s.ok() ? "ok" : s.error().message) + ", oracle " +
               std::to_string(ok);
    }
    Request r = Asked(e);
    answer_ = oracle_.Decide(r, now_);
    scratch_.FetchAheadForTest();
    decision_ = &dpl::Decide(*snapshot_, &store_, r, now_, &scratch_);
    Count();
    if (decision_->reservation != 0 && decision_->outcome == OutcomeKind::kPermit &&
        answer_.reservation != 0) {
      engine_reservation_ = decision_->reservation;
      oracle_reservation_ = answer_.reservation;
      deadline_ = decision_->reservation_deadline;
      State::Reservation& mine = oracle_.state().reservations[oracle_reservation_];
      if (decision_->replayed && mine.deadline != deadline_)
        return "a replay says another deadline than the reservation has";
      mine.deadline = deadline_;
      caller_ = r.caller->name;
    }
    return Differs();
  }

  void Count() {
    ++tally_.asks;
    if (answer_.outcome == OutcomeKind::kPermit) ++tally_.permits;
    if (answer_.outcome == OutcomeKind::kAsk) ++tally_.askings;
    ++tally_.reasons[std::string(ReasonCode(answer_.reason))];
    tally_.limit_lines += answer_.lines.size();
    if (!answer_.binding.empty()) ++tally_.bindings;
    if (answer_.grants.size() > 1) ++tally_.with_several_grants;
  }

  // ---- comparing
  static const char* Name(OutcomeKind o) {
    return o == OutcomeKind::kPermit ? "permit" : o == OutcomeKind::kAsk ? "ask" : "deny";
  }

  std::string Differs() {
    std::string wrong;
    const Decision& d = *decision_;
    bool reason_ok =
        d.reason == answer_.reason ||
        std::find(answer_.also.begin(), answer_.also.end(), d.reason) != answer_.also.end();
    bool outcome_ok =
        d.outcome == answer_.outcome || (answer_.outcome == OutcomeKind::kAsk &&
                                         d.outcome == OutcomeKind::kDeny && !answer_.also.empty());
    if (!outcome_ok || !reason_ok) {
      wrong = "outcome";
    } else {
      std::set<std::string> grants;
      for (const By& by : d.by) {
        if (by.part == Part::kGrant)
          grants.insert(std::string(program_.Text(program_.statements[by.statement].name)));
      }
      if (d.outcome == OutcomeKind::kPermit && grants != answer_.grants)
        wrong = "granting statements";
      if (wrong.empty() && d.outcome == OutcomeKind::kPermit &&
          (d.reservation != 0) != (answer_.reservation != 0))
        wrong = "reservation";
      bool limits = d.outcome != OutcomeKind::kDeny || d.reason == Reason::kLimitExceeded ||
                    d.reason == Reason::kLimitUnknown;
      if (wrong.empty() && limits && LimitTexts() != OracleLimitTexts()) wrong = "limit lines";
      bool binds = limits && d.reason != Reason::kLimitUnknown && !answer_.binding.empty();
      if (wrong.empty() && binds && Binding() != answer_.binding) wrong = "binding limit";
      if (wrong.empty() && d.outcome == OutcomeKind::kPermit && DutyTexts() != OracleDutyTexts())
        wrong = "duties";
      std::set<std::string> asked;
      for (uint32_t a : d.approvals)
        asked.insert(
            std::string(program_.Text(program_.statements[program_.approval_statements[a]].name)));
      if (wrong.empty() && d.outcome == OutcomeKind::kAsk && asked != answer_.approvals)
        wrong = "approvals asked";
    }
    if (wrong.empty()) return {};
    std::ostringstream out;
    out << wrong << " at " << FormatInstant(now_) << "\n  engine: " << Name(d.outcome) << " "
        << ReasonCode(d.reason) << "\n";
    for (const By& by : d.by)
      out << "    by " << program_.Text(program_.statements[by.statement].name) << " part "
          << static_cast<int>(by.part) << "\n";
    for (const std::string& line : LimitTexts()) out << "    limit " << line << "\n";
    for (uint32_t a : d.approvals)
      out << "    asks " << program_.Text(program_.statements[program_.approval_statements[a]].name)
          << "\n";
    for (const std::string& duty : DutyTexts()) out << "    must " << duty << "\n";
    out << "    binds " << Binding() << "\n  oracle: " << Name(answer_.outcome) << " "
        << ReasonCode(answer_.reason);
    for (Reason r : answer_.also) out << " or " << ReasonCode(r);
    out << "\n";
    for (const std::string& g : answer_.grants) out << "    by " << g << "\n";
    for (const std::string& line : OracleLimitTexts()) out << "    limit " << line << "\n";
    for (const std::string& a : answer_.approvals) out << "    asks " << a << "\n";
    for (const std::string& duty : answer_.duties) out << "    must " << duty << "\n";
    out << "    binds " << answer_.binding << "\n";
    return out.str();
  }

  static std::string LineText(const std::string& limit, LimitState state,
                              std::optional<int64_t> used, std::optional<int64_t> requested,
                              std::optional<int64_t> cap, const std::string& approval) {
    static const char* const kStates[] = {"ok", "needs", "exceeded", "unknown", "counted"};
    std::string out = limit + " " + kStates[static_cast<int>(state)];
    if (state == LimitState::kUnknown) return out;
    auto number = [](std::optional<int64_t> n) {
      return n ? std::to_string(*n) : std::string("?");
    };
    if (state != LimitState::kCounted)
      out += " " + number(used) + " + " + number(requested) + " of " + number(cap);
    if (state == LimitState::kNeedsApproval) out += " asks " + approval;
    return out;
  }
  std::set<std::string> LimitTexts() const {
    std::set<std::string> out;
    auto number = [](const Value& v) {
      return v.kind == ValueKind::kUnset || v.is_error() ? std::nullopt
                                                         : std::optional<int64_t>(v.i);
    };
    for (const LimitLine& l : decision_->limits) {
      std::string approval =
          l.state == LimitState::kNeedsApproval
              ? std::string(program_.Text(
                    program_.statements[program_.approval_statements[l.approval]].name))
              : "";
      out.insert(LineText(std::string(program_.Text(program_.limits[l.limit].name)), l.state,
                          number(l.used), number(l.requested), number(l.cap), approval));
    }
    return out;
  }
  std::set<std::string> OracleLimitTexts() const {
    std::set<std::string> out;
    for (const Line& l : answer_.lines)
      out.insert(LineText(l.limit, l.state, l.used, l.requested, l.cap, l.approval));
    return out;
  }
  std::multiset<std::string> DutyTexts() const {
    std::multiset<std::string> out;
    for (const DutyOut& duty : decision_->duties) {
      std::string from = duty.statement == kNone
                             ? ""
                             : std::string(program_.Text(program_.statements[duty.statement].name));
      out.insert(from + " " + std::string(DutyName(duty.kind)));
    }
    return out;
  }
  std::multiset<std::string> OracleDutyTexts() const {
    return {answer_.duties.begin(), answer_.duties.end()};
  }
  std::string Binding() const {
    for (const LimitLine& l : decision_->limits) {
      if (l.binding) return std::string(program_.Text(program_.limits[l.limit].name));
    }
    return {};
  }

  const Compiled& compiled_;
  const Program& program_;
  const World0& world_;
  Oracle oracle_;
  Tally& tally_;
  Instant now_;
  std::shared_ptr<const Snapshot> snapshot_;
  MemoryStore store_;
  Scratch scratch_;
  const Decision* decision_ = nullptr;
  Answer answer_;
  uint64_t engine_reservation_ = 0, oracle_reservation_ = 0;
  Instant deadline_{};
  std::string caller_, approval_id_;
  int approvals_ = 0;
};

}  // namespace

std::string RunWorld(const Compiled& compiled, const World0& world, const Faults& faults,
                     Tally* tally, size_t* at) {
  return Runner(compiled, world, faults, tally).Run(at);
}

// ---------------------------------------------------------------- making it smaller

void Shrink(PolicyText* policy, World0* world, const Faults& faults) {
  auto differs = [&](const PolicyText& p, const World0& w) {
    std::vector<CompileError> errors;
    std::unique_ptr<Compiled> c = CompileText(p.Text(), &errors);
    if (c == nullptr) return false;
    Tally tally;
    size_t at = 0;
    std::string wrong = RunWorld(*c, w, faults, &tally, &at);
    return !wrong.empty() && !wrong.starts_with("facts refused");
  };
  for (size_t step = std::max<size_t>(world->events.size() / 2, 1);;
       step = std::max<size_t>(step / 2, 1)) {
    for (size_t i = world->events.size(); i > 0;) {
      size_t from = i > step ? i - step : 0;
      World0 fewer = *world;
      fewer.events.erase(fewer.events.begin() + static_cast<long>(from),
                         fewer.events.begin() + static_cast<long>(i));
      if (differs(*policy, fewer)) *world = std::move(fewer);
      i = from;
    }
    if (step == 1) break;
  }
  for (size_t i = policy->blocks.size(); i-- > 0;) {
    PolicyText fewer = *policy;
    fewer.blocks.erase(fewer.blocks.begin() + static_cast<long>(i));
    if (differs(fewer, *world)) *policy = std::move(fewer);
  }
}

std::string Report(uint64_t seed, const PolicyText& policy, const World0& world,
                   const std::string& difference) {
  std::ostringstream out;
  out << "seed " << seed << "\n\n"
      << policy.Text() << "\n--- facts, as of "
      << FormatInstant(world.facts.as_of.value_or(world.start)) << "\n";
  if (!world.facts.has_memberships) out << "memberships are not loaded\n";
  auto fields = [&](const std::vector<FactsInput::Field>& list) {
    for (const FactsInput::Field& f : list) out << " " << f.name << "=" << DescribeWire(f.value);
    out << "\n";
  };
  for (const FactsInput::Person& p : world.facts.persons) {
    out << "person " << p.id << " " << p.status;
    fields(p.fields);
  }
  for (const FactsInput::Members& m : world.facts.members) {
    out << (m.is_role ? "role " : "team ") << m.name << " " << m.scope_type << " " << m.scope_id
        << ":";
    for (const FactsInput::Member& one : m.members) {
      out << " " << (one.is_team ? "team " : "") << one.id
          << (one.until ? " until " + FormatInstant(*one.until) : "");
    }
    out << "\n";
  }
  for (const FactsInput::Account& a : world.facts.accounts)
    out << "account " << a.system << " " << a.key << " " << a.person << " "
        << FormatInstant(a.checked) << "\n";
  for (const FactsInput::Resource& r : world.facts.resources) {
    out << r.type << " " << r.id << " in " << r.parent_id;
    fields(r.fields);
  }
  for (const FactsInput::Consent& c : world.consents)
    out << "consent " << c.delegation << " " << c.person << " " << FormatInstant(c.at)
        << (c.whole_day ? " (day)" : "") << "\n";
  out << "--- events, from " << FormatInstant(world.start) << "\n";
  for (const Event& e : world.events) {
    switch (e.kind) {
      case Event::Kind::kAsk:
        out << Describe(e.ask) << (e.with_approval ? " with the approval" : "")
            << (e.record_handoffs ? (e.handoff_in_task ? " hand-offs in the task" : "")
                                  : " hand-offs not recorded")
            << "\n";
        break;
      case Event::Kind::kAdvance:
        out << "advance " << FormatDuration(Duration{e.advance_us}) << "\n";
        break;
      case Event::Kind::kRevoke:
        out << "revoke " << static_cast<int>(e.revoked) << " " << e.name
            << (e.before_us ? " before " + std::to_string(*e.before_us) : "") << "\n";
        break;
      case Event::Kind::kCancel:
        out << "cancel last\n";
        break;
      case Event::Kind::kConfirm:
        out << "confirm last\n";
        break;
      case Event::Kind::kApprove: {
        out << "approve last by";
        for (const std::string& who : e.approvers) out << " " << who;
        out << "\n";
        break;
      }
      case Event::Kind::kTask:
        out << "task " << e.task.id << " = " << e.task.shape << " by " << e.task.agent << " for "
            << e.task.person << " source " << DescribeWire(e.task.args[0].value)
            << (e.task.expires ? " expires " + FormatInstant(*e.task.expires) : "") << "\n";
        break;
      case Event::Kind::kConsent:
        out << "consent " << e.consent.delegation << " " << e.consent.person << "\n";
        break;
    }
  }
  out << "--- difference: " << difference;
  return out.str();
}

Found RunPolicy(uint64_t seed, const Faults& faults, Tally* tally,
                std::map<std::string, int>* refused, bool shrink) {
  Rng rng(seed);
  Vocabulary v(&rng);
  v.realms = true;
  PolicyText policy = MakePolicy(&rng, v);
  std::unique_ptr<Compiled> compiled = CompilePolicy(&policy, refused);
  if (compiled == nullptr) {
    ++(*refused)["whole policies"];
    return {};
  }
  for (int w = 0; w < 3; ++w) {
    World0 world = MakeWorld(&rng, v, *compiled, 40);
    size_t at = 0;
    std::string wrong = RunWorld(*compiled, world, faults, tally, &at);
    if (wrong.empty()) continue;
    if (!shrink) return {true, wrong};
    world.events.resize(std::min(at + 1, world.events.size()));
    Shrink(&policy, &world, faults);
    std::vector<CompileError> errors;
    std::unique_ptr<Compiled> small = CompileText(policy.Text(), &errors);
    Tally scratch;
    wrong = RunWorld(*small, world, faults, &scratch, &at);
    return {true, Report(seed, policy, world, wrong)};
  }
  return {};
}

}  // namespace dpl::oracle
