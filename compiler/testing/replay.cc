#include "compiler/testing/replay.h"

#include <utility>

#include "runtime/base/text.h"
#include "runtime/decide/answer.h"
#include "runtime/decide/engine.h"
#include "runtime/decide/render.h"
#include "runtime/decide/wire_request.h"
#include "runtime/json/json.h"
#include "runtime/json/json_writer.h"
#include "runtime/state/memory_store.h"
#include "runtime/state/seed.h"

namespace dpl::testing {
namespace {

struct Recorded {
  std::string outcome;  // "", "permit", "deny", "ask"; "refuse": false, deny or ask
  std::string reason;
};

Result<Recorded> ReadRecorded(const WireValue& line) {
  Recorded out;
  const WireValue* decision = line.Find("decision");
  const WireValue* reason = line.Find("reason");
  if (const WireValue* response = line.Find("response"); response != nullptr) {
    if (decision == nullptr) decision = response->Find("decision");
    const WireValue* context = response->Find("context");
    if (context != nullptr && reason == nullptr) reason = context->Find("reason");
  }
  if (reason != nullptr) {
    if (!reason->is_string()) return Error{"replay", "`reason` is not a text"};
    out.reason = std::string(reason->text);
  }
  if (decision == nullptr) return out;
  if (decision->is_bool()) {
    out.outcome = decision->boolean ? "permit" : "refuse";
    if (out.reason == ReasonCode(Reason::kApprovalRequired)) out.outcome = "ask";
  } else if (decision->is_string() &&
             (decision->text == "permit" || decision->text == "deny" || decision->text == "ask")) {
    out.outcome = std::string(decision->text);
  } else {
    return Error{"replay", "`decision` is not true, false, \"permit\", \"deny\" or \"ask\""};
  }
  return out;
}

// What the answer rests on: the statement of the first entry, else the limit that binds, else the
// nearest miss of a denial.
uint32_t StatementOf(const Decision& d, const Program& program) {
  for (const LimitLine& line : d.limits) {
    if (line.binding && ReasonStep(d.reason) == 12) return program.limits[line.limit].statement;
  }
  if (d.outcome == OutcomeKind::kAsk && d.approvals.size > 0)
    return program.approval_statements[d.approvals.items[0]];
  if (d.by.size > 0) return d.by.items[0].statement;
  return d.nearest.statement;
}

class Replayer {
 public:
  Replayer(std::shared_ptr<const Program> program, const FactsInput& facts, Clock* clock)
      : program_(std::move(program)),
        facts_(facts),
        caller_(Caller::Everything("replay")),
        now_(clock->Now()) {}

  Status Line(std::string_view text, uint32_t number, ReplayRun* run) {
    arena_.Reset();
    Result<const WireValue*> parsed = ParseJson(text, &arena_);
    if (!parsed.ok()) return parsed.error();
    const WireValue& line = **parsed;
    if (!line.is_object()) return Error{"replay", "this line is not an object"};
    const WireValue* wrapped = line.Find("request");
    const WireValue& asked = wrapped == nullptr ? line : *wrapped;
    if (asked.Find("evaluations") != nullptr)
      return Error{"replay", "a batch cannot be replayed: write one evaluation a line"};
    Result<Recorded> recorded = ReadRecorded(line);
    if (!recorded.ok()) return recorded.error();
    if (const WireValue* now = line.Find("now"); now != nullptr) {
      Result<Instant> at = ParseInstant(now->is_string() ? now->text : std::string_view());
      if (!at.ok()) return Error{"replay", "`now` is not a time such as \"2026-11-20T15:00Z\""};
      DPL_RETURN_IF_ERROR(MoveTo(*at));
    }
    DPL_RETURN_IF_ERROR(Ready());
    WireEvaluation wire{asked.Find("subject"), asked.Find("action"), asked.Find("resource"),
                        asked.Find("context")};
    Result<Request> request = ReadWireRequest(wire, caller_, &arena_);
    if (!request.ok()) return request.error();
    Request r = *request;
    r.explain = true;
    const Decision& d = Decide(*snapshot_, &store_, r, now_, &scratch_);

    ReplayedLine out;
    out.line = number;
    if (const WireValue* id = line.Find("id"); id != nullptr && id->is_string())
      out.id = std::string(id->text);
    AppendSentence(&out.asked, *snapshot_, r, d);
    out.before = recorded->outcome == "refuse" ? "deny" : recorded->outcome;
    out.before_reason = recorded->reason;
    out.after = OutcomeName(d.outcome);
    out.after_reason = ReasonCode(d.reason);
    if (uint32_t s = StatementOf(d, *program_); s != kNone) {
      out.statement = program_->Text(program_->statements[s].name);
      out.span = program_->statements[s].head;
    }
    bool same_outcome = recorded->outcome == "refuse" ? d.outcome != OutcomeKind::kPermit
                                                      : recorded->outcome == out.after;
    // A caller without details was told less than the reason (closing rule 41).
    bool same_reason = recorded->reason.empty() || recorded->reason == out.after_reason ||
                       recorded->reason == ReasonCode(d.shown);
    bool known = !recorded->outcome.empty() || !recorded->reason.empty();
    out.changed = known && ((!recorded->outcome.empty() && !same_outcome) || !same_reason);
    if (out.changed || !known) AppendExplanation(&out.explanation, *snapshot_, r, d);
    run->recorded += known ? 1 : 0;
    run->changed += out.changed ? 1 : 0;

    JsonWriter w(&run->as_recorded);
    w.BeginObject();
    if (!out.id.empty()) w.Member("id", out.id);
    w.Member("now", FormatInstant(now_)).Key("request");
    if (wrapped != nullptr) {
      w.Wire(asked);
    } else {
      w.BeginObject();
      for (const char* name : {"subject", "action", "resource", "context"}) {
        const WireValue* member = asked.Find(name);
        if (member == nullptr) continue;
        w.Key(name).Wire(*member);
      }
      w.EndObject();
    }
    w.Member("decision", out.after).Member("reason", out.after_reason).EndObject();
    run->as_recorded += "\n";
    run->lines.push_back(std::move(out));
    return Status::Ok();
  }

  Status Ready() {
    if (snapshot_ != nullptr) return Status::Ok();
    Result<std::unique_ptr<Snapshot>> built = Snapshot::Build(program_, facts_, now_);
    if (!built.ok()) return built.error();
    snapshot_ = built.take();
    if (seeded_) return Status::Ok();
    seeded_ = true;
    return SeedState(*snapshot_, facts_, &store_, now_);
  }

 private:
  // Facts without a time of their own are as of the request.
  Status MoveTo(Instant at) {
    if (at == now_) return Status::Ok();
    now_ = at;
    if (!facts_.as_of && program_->schema.person.source_within_us != 0) snapshot_.reset();
    return Status::Ok();
  }

  std::shared_ptr<const Program> program_;
  const FactsInput& facts_;
  Caller caller_;
  Instant now_;
  Arena arena_;
  MemoryStore store_;
  std::unique_ptr<Snapshot> snapshot_;
  bool seeded_ = false;
  Scratch scratch_;
};

}  // namespace

Result<ReplayRun> Replay(std::shared_ptr<const Program> program, const FactsInput& facts,
                         std::string_view text, const std::string& name, Clock* clock) {
  ReplayRun run;
  Replayer replayer(std::move(program), facts, clock);
  uint32_t number = 0;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Status s = replayer.Line(line, number, &run);
    if (s.ok()) continue;
    if (s.error().code.starts_with("facts")) return s.error();
    return Error{"replay", name + ":" + std::to_string(number) + ": " + s.error().message};
  }
  return run;
}

std::string ReplayText(const ReplayRun& run, const Program& program, const std::string& name,
                       bool color, bool quiet) {
  std::string out;
  for (const ReplayedLine& line : run.lines) {
    bool known = !line.before.empty() || !line.before_reason.empty();
    if (!line.changed && (known || quiet)) continue;
    out += name + ":" + std::to_string(line.line) + ": ";
    if (!line.id.empty()) out += line.id + ": ";
    auto answer = [](const std::string& outcome, const std::string& reason) {
      bool said = reason.empty() || outcome == reason || reason == "approval_required";
      return said ? outcome : outcome.empty() ? reason : outcome + " " + reason;
    };
    if (known) {
      out += std::string(color ? "\033[33m" : "") + answer(line.before, line.before_reason) +
             " → " + answer(line.after, line.after_reason) + (color ? "\033[0m" : "");
    } else {
      out += answer(line.after, line.after_reason) + " (nothing recorded)";
    }
    if (!line.statement.empty()) {
      out += ", by " + line.statement + " at ";
      AppendSpan(&out, program, line.span);
    }
    out += "\n";
    std::string_view rest = line.explanation;
    while (line.changed && !rest.empty()) {
      size_t end = rest.find('\n');
      out.append("  ").append(rest.substr(0, end)).push_back('\n');
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
  }
  size_t fresh = run.lines.size() - run.recorded;
  out += std::to_string(run.lines.size()) + " requests, " + std::to_string(run.changed) +
         " changed, " + std::to_string(run.recorded - run.changed) + " as recorded";
  if (fresh != 0) out += ", " + std::to_string(fresh) + " without a record";
  return out + "\n";
}

std::string ReplayJson(const ReplayRun& run, const Program& program) {
  std::string out;
  JsonWriter w(&out);
  w.BeginObject().Key("requests").Uint(run.lines.size()).Key("changed").Uint(run.changed);
  w.Key("recorded").Uint(run.recorded).Key("lines").BeginArray();
  for (const ReplayedLine& line : run.lines) {
    w.BeginObject().Key("line").Uint(line.line).Key("changed").Bool(line.changed);
    if (!line.id.empty()) w.Member("id", line.id);
    w.Member("asked", line.asked);
    auto answer = [&](const char* name, const std::string& outcome, const std::string& reason) {
      w.Key(name).BeginObject();
      if (!outcome.empty()) w.Member("decision", outcome);
      if (!reason.empty()) w.Member("reason", reason);
      w.EndObject();
    };
    if (!line.before.empty() || !line.before_reason.empty())
      answer("before", line.before, line.before_reason);
    answer("after", line.after, line.after_reason);
    if (!line.statement.empty()) {
      std::string span;
      AppendSpan(&span, program, line.span);
      w.Member("statement", line.statement).Member("span", span);
    }
    if (line.changed) w.Member("explanation", line.explanation);
    w.EndObject();
  }
  w.EndArray().EndObject();
  return out;
}

}  // namespace dpl::testing
