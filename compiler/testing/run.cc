// Runs the `test` blocks of a policy set; see run.h.
#include "compiler/testing/run.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "compiler/check/model.h"
#include "compiler/testing/expect.h"
#include "compiler/testing/values.h"
#include "compiler/testing/world.h"
#include "runtime/base/decimal.h"
#include "runtime/base/money.h"
#include "runtime/decide/answer.h"
#include "runtime/decide/approval.h"
#include "runtime/decide/duty.h"
#include "runtime/decide/engine.h"

namespace dpl::testing {
namespace {

constexpr uint32_t kMaxRepeat = 1'000'000;

// Runs one row of one test. Stops at the first step that cannot be carried out; a failed `expect`
// goes on.
class RowRunner {
 public:
  RowRunner(std::shared_ptr<const Program> program, uint32_t package, Columns columns,
            const TestOptions& options, size_t test, size_t row, TestResult* result)
      : program_(program),
        world_(std::move(program), package),
        columns_(std::move(columns)),
        options_(options),
        test_(test),
        row_(row),
        caller_(Caller::Everything("dplc test")),
        result_(result) {}

  void Run(const ast::TestDecl& test) {
    standing_ = &test.standing;
    RunSteps(test.steps);
  }

 private:
  bool RunSteps(const std::vector<ast::Step>& steps) {
    for (const ast::Step& step : steps) {
      if (!RunStep(step)) return false;
    }
    return true;
  }

  bool Stop(const Span& span, std::string message) {
    result_->failures.push_back({span, std::move(message), {}});
    return false;
  }
  bool Check(const ast::Step& step, const Status& status) {
    if (status.ok()) return true;
    Span span = step.span;
    if (status.error().line != 0) {
      span.line = status.error().line;
      span.column = status.error().column;
    }
    return Stop(span, status.error().message);
  }

  // What the package's `data` says is given before all else but the time.
  bool GiveStanding() {
    for (const ast::DataDecl* data : *std::exchange(standing_, &kNothing)) {
      Status given = world_.Given(data->data, {});
      if (given.ok()) continue;
      Span span = data->span;
      if (given.error().line != 0) {
        span.line = given.error().line;
        span.column = given.error().column;
      }
      return Stop(span, given.error().message);
    }
    return true;
  }

  bool RunStep(const ast::Step& step) {
    using Kind = ast::Step::Kind;
    if (step.kind != Kind::kAt && !GiveStanding()) return false;
    switch (step.kind) {
      case Kind::kAt:
        return Check(step, world_.SetTime(step));
      case Kind::kAdvance:
        return Check(step, world_.Advance(step));
      case Kind::kGiven:
        return Check(step, world_.Given(step.given, columns_));
      case Kind::kRevoke:
        return Revoke(step);
      case Kind::kRepeat:
        return Repeat(step);
      case Kind::kWhen:
        return When(step);
      case Kind::kExpect:
        return Expect(step);
      case Kind::kConfirm:
      case Kind::kCancel:
        return EndReservation(step);
      case Kind::kApprove:
        return Approve(step);
      case Kind::kHand:
        return Hand(step);
    }
    return Stop(step.span, "unknown step");
  }

  bool Repeat(const ast::Step& step) {
    Result<int64_t> n = ParseInt(WithoutUnderscores(step.literal.text));
    if (!n.ok() || *n < 0 || *n > kMaxRepeat)
      return Stop(step.span, "repeat takes a number up to 1_000_000");
    size_t failures = result_->failures.size();
    for (int64_t i = 0; i < *n; ++i) {
      if (!RunSteps(step.body)) return false;
      if (result_->failures.size() != failures) {
        result_->failures.back().message +=
            " (in round " + std::to_string(i + 1) + " of " + std::to_string(*n) + ")";
        return false;
      }
    }
    return true;
  }

  bool Hand(const ast::Step& step) {
    if (!Check(step, world_.Ready())) return false;
    hands_off_itself_ = true;
    auto agent = [&](const ast::AgentHop& hop) {
      return world_.QualifiedStatement(StatementKind::kAgent, hop.name.text);
    };
    std::string parent =
        step.hand_person.present ? PersonParent(step.hand_person.value) : agent(step.hand_from);
    return Check(
        step, world_.store()->RecordHandoff(parent, step.hand_from.instance.value,
                                            agent(step.hand_to), step.hand_to.instance.value, {}));
  }

  bool Revoke(const ast::Step& step) {
    if (!Check(step, world_.Ready())) return false;
    const ast::Revocable& r = step.revoke;
    using Kind = ast::Revocable::Kind;
    auto agent = [&] { return world_.QualifiedStatement(StatementKind::kAgent, r.name.text); };
    RevokedKind kind = RevokedKind::kPerson;
    std::string name;
    switch (r.kind) {
      case Kind::kPerson:
        name = r.id.value;
        break;
      case Kind::kAgent:
        kind = RevokedKind::kAgent;
        name = agent();
        break;
      case Kind::kInstance:
        kind = RevokedKind::kInstance;
        name = RevokedName(agent(), r.id.value, '/');
        break;
      case Kind::kTask:
        kind = RevokedKind::kTask;
        name = r.name.text;
        break;
      case Kind::kGrant:
        kind = RevokedKind::kGrant;
        name = world_.QualifiedStatement(StatementKind::kGrant, r.name.text);
        break;
      case Kind::kDelegation:
        kind = RevokedKind::kDelegation;
        name = world_.QualifiedStatement(StatementKind::kDelegation, r.name.text);
        break;
      case Kind::kBreakGlass:
        kind = RevokedKind::kBreakGlass;
        name = world_.QualifiedStatement(StatementKind::kBreakGlass, r.name.text);
        break;
      case Kind::kAccount:
        kind = RevokedKind::kAccount;
        name = RevokedName(r.name.text, r.id.value, ':');
        break;
      case Kind::kApproval:
        kind = RevokedKind::kApproval;
        name = approval_ids_.empty() ? std::string() : approval_ids_.back();
        break;
      case Kind::kPartner:
        kind = RevokedKind::kPartner;
        name = world_.QualifiedStatement(StatementKind::kPartner, r.name.text);
        if (r.id.present) name = RevokedName(name, r.id.value, '/');
        break;
    }
    Revocation revocation;
    revocation.kind = kind;
    revocation.name = name;
    revocation.at = world_.now();
    world_.store()->Revoke(revocation);
    return true;
  }

  // As the record of hand-offs names a person who started an agent's run.
  static std::string PersonParent(const std::string& id) { return "person:" + id; }

  // A name for a hop that the test left without one: a run of its own.
  std::string_view Instance(const ast::AgentHop& hop) {
    return world_.arena()->Copy(hop.instance.present ? hop.instance.value
                                                     : "run-" + std::to_string(++fresh_));
  }

  bool When(const ast::Step& step) {
    if (!Check(step, world_.Ready())) return false;
    const ast::Attempt& a = step.when;
    const Schema& schema = program_->schema;
    Arena* arena = world_.arena();
    Request r;
    r.caller = &caller_;
    r.explain = true;
    if (a.deputy.present) {
      Request::Hop& deputy = r.hops[r.hop_count++];
      deputy.agent = a.deputy.value;
      deputy.is_person = true;
    }
    for (size_t i = a.foreign.size(); i-- > 0 && r.hop_count < kMaxHops;) {
      Request::Hop& hop = r.hops[r.hop_count++];
      hop.agent = a.foreign[i].value;
      hop.instance = arena->Copy("run-" + std::to_string(++fresh_));
      hop.born = world_.now();
    }
    for (size_t i = 0; i < a.hops.size(); ++i) {
      const ast::AgentHop& hop =
          a.hops[a.hops.size() - 1 - i];  // written actor first, asked root first
      if (r.hop_count == kMaxHops) {
        r.too_many_hops = true;
        break;
      }
      Request::Hop out;
      out.agent = arena->Copy(world_.QualifiedStatement(StatementKind::kAgent, hop.name.text));
      out.instance = Instance(hop);
      Instant born;
      bool bound = false;
      if (!world_.store()->FindInstance(out.agent, out.instance, &born, &bound))
        out.born = world_.now();
      if (r.hop_count > 0) {
        const Request::Hop& parent = r.hops[r.hop_count - 1];
        // A test that records hand-offs itself means what it recorded. One that contradicts an
        // earlier hand-off is refused here and then denied by the decision: a chain that differs
        // from the record.
        if (!hands_off_itself_) {
          std::string name = parent.is_person ? PersonParent(std::string(parent.agent))
                                              : std::string(parent.agent);
          (void)world_.store()->RecordHandoff(name, parent.instance, out.agent, out.instance,
                                              a.task.text);
        }
      }
      r.hops[r.hop_count++] = out;
    }
    if (!a.partner.empty()) {
      r.subject_type = arena->Copy(
          "partner:" + world_.QualifiedStatement(StatementKind::kPartner, a.partner.text));
      r.subject_id = a.partner_subject.value;
    } else if (!a.account.empty()) {
      r.subject_type = arena->Copy("account:" + a.account.text);
      r.subject_id = a.person.value;
    } else if (a.person.present) {
      r.subject_type = schema.person.known_as.empty() ? std::string_view("person")
                                                      : schema.Text(schema.person.known_as[0]);
      r.subject_id = a.person.value;
    } else if (a.is_public) {
      r.subject_type = "anonymous";
      r.subject_id = "anonymous";
    } else if (r.hop_count > 0) {
      r.subject_type = "agent";
      r.subject_id = r.hops[0].agent;
    }
    uint32_t type = FindResource(schema, a.type.text);
    uint32_t action =
        type == kNone ? kNone : FindAction(schema.resources[type], schema, a.action.text);
    r.resource_type = type == kNone || schema.resources[type].known_as.empty()
                          ? std::string_view(a.type.text)
                          : schema.Text(schema.resources[type].known_as[0]);
    r.resource_id = a.id.value;
    r.action = action == kNone ? std::string_view(a.action.text)
                               : schema.Text(schema.resources[type].actions[action].wire);
    auto object = [&](const std::vector<ast::FieldInit>& fields, auto wire_name,
                      const WireValue** out) -> Status {
      std::vector<NamedWire> members;
      for (const ast::FieldInit& f : fields) {
        Result<WireValue> v = ToWire(*f.value, columns_, arena);
        if (!v.ok()) return v.error();
        members.push_back({wire_name(f.name.text), *v});
      }
      if (!members.empty()) *out = arena->New<WireValue>(MakeObject(members, arena));
      return Status::Ok();
    };
    auto param_wire = [&](std::string_view name) -> std::string_view {
      if (action != kNone) {
        for (const ParamDef& p : schema.resources[type].actions[action].params) {
          if (schema.Text(p.name) == name) return schema.Text(p.wire);
        }
      }
      return name;
    };
    auto attribute_wire = [&](const std::vector<AttributeDef>& attributes) {
      return [&schema, &attributes](std::string_view name) -> std::string_view {
        for (const AttributeDef& d : attributes) {
          if (schema.Text(d.name) == name) return schema.Text(d.wire);
        }
        return name;
      };
    };
    static const std::vector<AttributeDef> kNoAttributes;
    if (!Check(step, object(a.args, param_wire, &r.action_properties))) return false;
    if (!Check(step, object(a.context, attribute_wire(schema.context), &r.context))) return false;
    const auto& attributes = type == kNone ? kNoAttributes : schema.resources[type].attributes;
    if (!Check(step, object(a.properties, attribute_wire(attributes), &r.resource_properties)))
      return false;
    r.task = a.task.text;
    r.duties = kAllDuties;
    if (a.says_duties) {
      r.duties = 0;
      for (ast::Duty::Kind kind : a.duties)
        r.duties = static_cast<uint8_t>(r.duties | DutyBit(check::DutyKindOf(kind)));
    }
    if (!a.break_glass.empty()) {
      r.break_glass =
          arena->Copy(world_.QualifiedStatement(StatementKind::kBreakGlass, a.break_glass.text));
    }
    for (const ast::FieldInit& said : a.break_glass_args) {
      Result<WireValue> text = ToWire(*said.value, columns_, arena);
      if (!text.ok()) return Check(step, text.error());
      (said.name.text == "reason" ? r.break_glass_reason : r.break_glass_ticket) = text->text;
    }
    r.charge_key = a.key.value;
    if (a.with_approval_last) {
      if (approval_ids_.empty())
        return Stop(step.span, "`with approval last` but nothing was approved before");
      for (const std::string& id : approval_ids_) r.Present(id);
    }
    request_ = r;
    signers_.clear();
    decision_ = &Decide(world_.snapshot(), world_.store(), request_, world_.now(), &scratch_,
                        options_.observer);
    if (options_.on_decision)
      options_.on_decision({test_, row_, &step, &world_.snapshot(), &request_, decision_});
    if (decision_->reservation != 0) reservation_ = decision_->reservation;
    return true;
  }

  bool EndReservation(const ast::Step& step) {
    if (reservation_ == 0)
      return Stop(step.span,
                  "there is no reservation to end: nothing metered was permitted before");
    Status s = Status::Ok();
    if (step.kind == ast::Step::Kind::kCancel) {
      s = world_.store()->Cancel(reservation_, caller_.name, world_.now());
    } else {
      std::optional<int64_t> actual;
      if (step.actual) {
        Result<WireValue> v = ToWire(*step.actual, columns_, world_.arena());
        if (!v.ok()) return Check(step, v.error());
        if (v->is_string()) {
          Result<Money> money = ParseMoneyText(v->text);
          if (!money.ok()) return Check(step, money.error());
          actual = money->minor;
        } else {
          Result<int64_t> n = ParseInt(v->text);
          if (!n.ok()) return Check(step, n.error());
          actual = *n;
        }
      }
      s = world_.store()->Confirm(reservation_, caller_.name, actual, world_.now());
    }
    return Check(step, s);
  }

  bool Approve(const ast::Step& step) {
    if (decision_ == nullptr || decision_->outcome != OutcomeKind::kAsk)
      return Stop(step.span, "there is nothing to approve: the last answer was not `ask`");
    for (uint32_t approval : decision_->approvals) {
      if (!Check(step, world_.PresumeEligible(approval, step.person.value))) return false;
    }
    // Whoever approves after another signs the same approvals. What the asked request had already
    // presented is kept: several approvals may be given one after the other.
    if (signers_.empty()) kept_approvals_ = request_.approval_count == 0 ? 0 : approval_ids_.size();
    signers_.push_back(step.person.value);
    approval_ids_.resize(kept_approvals_);
    for (int which = 0; which < decision_->approvals.size; ++which) {
      std::string id = "approval-" + std::to_string(++approvals_);
      ApprovalRecord record =
          MakeApproval(*program_, *decision_, id, signers_, world_.now(), which);
      if (!Check(step, world_.store()->RecordApproval(record))) return false;
      approval_ids_.push_back(std::move(id));
    }
    return true;
  }

  bool Expect(const ast::Step& step) {
    if (decision_ == nullptr) return Stop(step.span, "`expect` before any `when`");
    ++result_->expectations;
    const ast::Outcome* want = &step.expect;
    if (want->kind == ast::Outcome::Kind::kVariable) {
      auto cell = columns_.find(want->variable.text);
      if (cell == columns_.end() || !cell->second->outcome)
        return Stop(step.span, "`" + want->variable.text + "` is not a column of outcomes");
      want = &*cell->second->outcome;
    }
    const Expectation expectation(*program_, *decision_);
    const std::string wrong = expectation.Difference(*want);
    if (wrong.empty()) return true;
    TestFailure failure;
    failure.span = step.span;
    failure.message = "expected " + Expectation::Describe(*want) + ", " + wrong;
    if (!expectation.IsKind(*want) && decision_->reason == Reason::kIdentityUnknown &&
        request_.subject_type != "anonymous" &&
        world_.snapshot().FindPerson(request_.subject_id) == nullptr) {
      failure.message +=
          " (nothing names person \"" + std::string(request_.subject_id) + "\": add it to `given`)";
    }
    AppendExplanation(&failure.explanation, world_.snapshot(), request_, *decision_);
    result_->failures.push_back(std::move(failure));
    return true;
  }

  inline static const std::vector<const ast::DataDecl*> kNothing;
  const std::vector<const ast::DataDecl*>* standing_ = &kNothing;  // not given yet
  std::shared_ptr<const Program> program_;
  World world_;
  Columns columns_;
  const TestOptions& options_;
  size_t test_, row_;
  Caller caller_;
  TestResult* result_;
  Scratch scratch_;
  Request request_;
  const Decision* decision_ = nullptr;
  uint64_t reservation_ = 0;
  std::vector<std::string> approval_ids_;  // that `with approval last` presents
  size_t kept_approvals_ = 0;
  int approvals_ = 0;
  std::vector<std::string> signers_;  // of the last `ask`
  int fresh_ = 0;
  bool hands_off_itself_ = false;
};

}  // namespace

bool Selected(const Program& program, const ast::TestDecl& test, uint32_t package,
              const std::string& filter) {
  if (filter.empty()) return true;
  std::string name(program.Text(program.schema.packages[package].name));
  return (name + ": " + test.title.value).find(filter) != std::string::npos;
}

TestRun RunTests(std::shared_ptr<const Program> program,
                 const std::vector<const ast::TestDecl*>& tests,
                 const std::vector<uint32_t>& packages, const SourceSet& sources,
                 const TestOptions& options, Clock* clock) {
  TestRun run;
  for (size_t t = 0; t < tests.size(); ++t) {
    const ast::TestDecl& test = *tests[t];
    if (!Selected(*program, test, packages[t], options.filter)) continue;
    if (options.wanted && !options.wanted(t)) continue;
    std::string package(program->Text(program->schema.packages[packages[t]].name));
    size_t rows = test.columns.empty() ? 1 : test.rows.size();
    for (size_t row = 0; row < rows; ++row) {
      TestResult result;
      result.name = test.title.value;
      result.package = package;
      const SourceFile* file = sources.Find(test.span.file);
      result.path = file == nullptr ? "" : file->path();
      result.span = test.columns.empty() ? test.head_span : test.rows[row].span;
      Columns columns;
      if (!test.columns.empty()) {
        result.name += " [row " + std::to_string(row + 1) + "]";
        for (size_t c = 0; c < test.columns.size() && c < test.rows[row].cells.size(); ++c)
          columns[test.columns[c].text] = &test.rows[row].cells[c];
      }
      int64_t start = clock->MonotonicUs();
      RowRunner(program, packages[t], std::move(columns), options, t, row, &result).Run(test);
      if (result.failures.empty() && result.expectations == 0) {
        result.failures.push_back(
            {result.span, "this test expects nothing, so it shows nothing", {}});
      }
      result.duration_us = clock->MonotonicUs() - start;
      result.passed = result.failures.empty();
      ++(result.passed ? run.passed : run.failed);
      if (options.on_result) options.on_result(result);
      run.results.push_back(std::move(result));
      if (options.fail_fast && run.failed != 0) return run;
    }
  }
  return run;
}

}  // namespace dpl::testing
