// A Decision as text for people: in the output of `dplc test`, in logs.
#include "runtime/base/text.h"
#include "runtime/decide/answer.h"
#include "runtime/decide/duty.h"
#include "runtime/decide/render.h"

namespace dpl {
namespace {

// Caller-made text, quoted and capped.
void AppendCallerText(std::string* out, std::string_view text) {
  std::string scratch;  // used, and the heap with it, only for what is cut
  AppendQuoted(out, Capped(text, &scratch));
}

// "the agent acme.helper "run-1"", "person "E2"", "the partner's agent "bot""
void AppendHop(std::string* out, const Program& program, const HopOut& hop) {
  if (hop.person != nullptr) {
    out->append("person ");
    AppendCallerText(out, hop.person->id);
    return;
  }
  if (hop.agent != kNone) {
    out->append(program.Text(program.statements[program.agent_statements[hop.agent]].name));
  } else {
    AppendCallerText(out, hop.foreign);
  }
  if (hop.instance.empty()) return;
  out->append(" ");
  AppendCallerText(out, hop.instance);
}

void AppendPartner(std::string* out, const Program& program, const Request& request,
                   const Decision& d) {
  out->append("subject ");
  AppendCallerText(out, request.subject_id);
  out->append(" of partner ")
      .append(program.Text(program.statements[program.partner_statements[d.partner]].name));
}

}  // namespace

void AppendSentence(std::string* out, const Snapshot& snapshot, const Request& request,
                    const Decision& d) {
  const Program& program = snapshot.program();
  if (d.chain.size > 0) {
    const HopOut& actor = d.chain.items[d.chain.size - 1];
    if (actor.person == nullptr)
      out->append(d.partner != kNone ? "the partner's agent " : "the agent ");
    AppendHop(out, program, actor);
    for (int i = d.chain.size - 2; i >= 0; --i) {
      out->append(" via ");
      AppendHop(out, program, d.chain.items[i]);
    }
    if (d.partner != kNone) {
      out->append(", for ");
      AppendPartner(out, program, request, d);
      out->append(",");
    } else if (d.person != nullptr) {
      out->append(d.mode == ActingMode::kImpersonate ? ", as person " : ", on behalf of person ");
      AppendCallerText(out, d.person->id);
      out->append(",");
    } else {
      out->append(", on its own,");
    }
  } else if (d.partner != kNone) {
    AppendPartner(out, program, request, d);
  } else if (d.person != nullptr) {
    out->append("person ");
    AppendCallerText(out, d.person->id);
  } else {
    AppendCallerText(out, request.subject_type);
    out->append(" ");
    AppendCallerText(out, request.subject_id);
  }
  out->append(" asked to ");
  if (d.type != kNone && d.action != kNone) {
    const ResourceDef& type = program.schema.resources[d.type];
    out->append(program.Text(type.actions[d.action].name))
        .append(" ")
        .append(program.Text(type.name));
  } else {
    AppendCallerText(out, request.action);
    out->append(" on ");
    AppendCallerText(out, request.resource_type);
  }
  out->append(" ");
  AppendCallerText(out, request.resource_id);
  if (!d.task.empty()) {
    out->append(" in task ");
    AppendCallerText(out, d.task);
  }
}

namespace {

void AppendStatements(std::string* out, const Program& program, const Decision& d) {
  for (const By& by : d.by) {
    const Statement& s = program.statements[by.statement];
    out->append("  by ")
        .append(PartName(by.part))
        .append(" ")
        .append(program.Text(s.name))
        .append("  ");
    AppendSpan(out, program, by.clause == kNone ? s.span : program.clauses[by.clause].span);
    if (by.match == Truth::kError) out->append("  (could not be decided, so it applies)");
    out->append("\n");
    if (s.because != 0)
      out->append("     because ").append(Quote(program.Text(s.because))).append("\n");
    std::string owner;
    AppendOwner(&owner, program, s.owner);
    if (!owner.empty()) out->append("     owner ").append(owner).append("\n");
  }
}

void AppendLimits(std::string* out, const Program& program, const Decision& d) {
  auto value = [&](std::string_view before, const Value& v) {
    if (v.kind == ValueKind::kUnset) return;
    out->append(before);
    AppendValue(out, v, program.schema);
  };
  for (const LimitLine& line : d.limits) {
    const Limit& limit = program.limits[line.limit];
    out->append("  limit ").append(program.Text(limit.name));
    AppendWhose(out, program, line);
    out->append(": ").append(LimitStateName(line.state));
    if (line.state == LimitState::kUnknown)
      out->append(" (").append(ErrorKindName(line.error)).append(")");
    value(", used ", line.used);
    value(" + asked for ", line.requested);
    value(" against ", line.cap);
    value(", left ", line.left);
    if (line.approval != kNone) {
      out->append(", beyond that ask ")
          .append(
              program.Text(program.statements[program.approval_statements[line.approval]].name));
      value(" up to ", line.up_to);
    }
    if (line.has_window) {
      out->append(", resets ");
      AppendInstant(out, line.resets);
    }
    if (line.binding) out->append("  (binding)");
    out->append("  ");
    AppendSpan(out, program, limit.span);
    out->append("\n");
  }
}

}  // namespace

void AppendExplanation(std::string* out, const Snapshot& snapshot, const Request& request,
                       const Decision& d) {
  const Program& program = snapshot.program();
  switch (d.outcome) {
    case OutcomeKind::kPermit:
      out->append("permit");
      break;
    case OutcomeKind::kDeny:
      out->append("deny ").append(ReasonCode(d.reason));
      break;
    case OutcomeKind::kAsk:
      out->append("ask");
      for (uint32_t a : d.approvals)
        out->append(" ").append(
            program.Text(program.statements[program.approval_statements[a]].name));
      break;
  }
  out->append(": ");
  AppendSentence(out, snapshot, request, d);
  out->append("\n  ");
  AppendReasonAdmin(out, snapshot, d);
  out->append("\n  at ");
  AppendInstant(out, d.now);
  out->append(", mode ").append(ModeName(d.mode));
  if (d.account_system != kNone) {
    out->append(", account ")
        .append(program.Text(program.schema.systems[d.account_system].name))
        .append(":");
    AppendCallerText(out, d.account_key);
  }
  if (d.accountable != kNone)
    out->append(", accountable ").append(Quote(program.constants[d.accountable].text));
  out->append("\n");
  if (d.also.size > 0) {
    out->append("  also:");
    for (Reason r : d.also) out->append(" ").append(ReasonCode(r));
    out->append("\n");
  }
  for (const HopOut& hop : d.chain) {
    if (hop.ok) continue;
    out->append(hop.person != nullptr ? "  " : "  agent ");
    AppendHop(out, program, hop);
    out->append(": ").append(ReasonCode(hop.reason)).append("\n");
  }
  AppendStatements(out, program, d);
  AppendLimits(out, program, d);
  for (const DutyOut& duty : d.duties) {
    out->append("  must ");
    AppendDuty(out, program, duty);
    if (duty.statement != kNone) {
      out->append("  by ")
          .append(program.Text(program.statements[duty.statement].name))
          .append("  ");
      AppendSpan(out, program, DutyOf(program, duty).span);
    } else {
      out->append("  (impersonation is always logged)");
    }
    out->append("\n");
  }
  if (d.opening.statement != kNone) {
    out->append("  opened ");
    AppendInstant(out, d.opening.opened);
    out->append(", until ");
    AppendInstant(out, d.opening.until);
    out->append(", review due ");
    AppendInstant(out, d.opening.review_due);
    out->append(" by ");
    const Statement& s = program.statements[d.opening.statement];
    AppendOwner(out, program, program.break_glasses[s.detail].review_by);
    out->append("\n");
  }
  if (d.nearest.statement != kNone) {
    out->append("  nearest: ");
    AppendNearest(out, snapshot, d.nearest);
    out->append("  ");
    AppendSpan(out, program, NearestSpan(program, d.nearest));
    out->append("\n");
  }
  for (const Change& c : d.changes) {
    out->append("  to change: ");
    AppendChange(out, snapshot, c);
    std::string owner;
    AppendOwner(&owner, program, c.owner);
    out->append(" (owner: ")
        .append(owner.empty() ? "the person asking" : owner)
        .append(c.verified ? "; this would help)\n" : "; cannot tell whether this is enough)\n");
  }
  for (std::string_view name : d.ignored) {
    out->append("  ignored: ");
    AppendCallerText(out, name);
    out->append("\n");
  }
}

}  // namespace dpl
