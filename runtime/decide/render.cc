// See render.h.
#include "runtime/decide/render.h"

#include "runtime/base/text.h"

namespace dpl {
namespace {

std::string_view KindWord(StatementKind kind) {
  switch (kind) {
    case StatementKind::kGrant:
      return "grant";
    case StatementKind::kLimit:
      return "limit";
    case StatementKind::kForbid:
      return "forbid";
    case StatementKind::kAgent:
      return "agent";
    case StatementKind::kDelegation:
      return "delegation";
    case StatementKind::kTask:
      return "task";
    case StatementKind::kApproval:
      return "approval";
    case StatementKind::kObligation:
      return "obligation";
    case StatementKind::kSeparate:
      return "separate";
    case StatementKind::kBreakGlass:
      return "break_glass";
    case StatementKind::kPartner:
      return "partner";
  }
  return "statement";
}

void AppendStatement(std::string* out, const Program& program, uint32_t statement) {
  const Statement& s = program.statements[statement];
  out->append(KindWord(s.kind)).append(" ").append(program.Text(s.name));
}

void AppendNumber(std::string* out, uint32_t n) {
  char digits[10];
  int at = 0;
  do {
    digits[at++] = static_cast<char>('0' + n % 10);
    n /= 10;
  } while (n != 0);
  while (at > 0) out->push_back(digits[--at]);
}

}  // namespace

void AppendSpan(std::string* out, const Program& program, const Span& span) {
  if (!span.known()) return;
  if (span.file < program.sources.size()) out->append(program.sources[span.file].path);
  out->push_back(':');
  AppendNumber(out, span.line);
  out->push_back(':');
  AppendNumber(out, span.column);
  out->push_back('-');
  AppendNumber(out, span.end_line);
  out->push_back(':');
  AppendNumber(out, span.end_column);
}

void AppendOwner(std::string* out, const Program& program, const OwnerDef& owner) {
  if (owner.team != kNone) {
    out->append("team ").append(program.Text(program.schema.teams[owner.team].name));
  } else if (owner.person != kNone) {
    out->append("person ").append(program.constants[owner.person].text);
  }
}

void AppendPeriod(std::string* out, const Limit& limit) {
  static constexpr std::string_view kWords[] = {"each",     "per hour",  "per day",
                                                "per week", "per month", "per quarter",
                                                "per year", "in any ",   "in total"};
  out->append(kWords[static_cast<size_t>(limit.period)]);
  if (limit.period == LimitPeriod::kSliding) AppendDuration(out, Duration{limit.window_us});
}

void AppendWindow(std::string* out, const Program& program, const Limit& limit) {
  AppendPeriod(out, limit);
  if (limit.period == LimitPeriod::kEach || limit.period == LimitPeriod::kSliding ||
      limit.period == LimitPeriod::kTotal)
    return;
  out->append(" in ");
  out->append(limit.zone < program.schema.zones.size() ? program.schema.zones[limit.zone].name
                                                       : UtcZone().name);
}

std::string_view Capped(std::string_view caller_text, std::string* scratch) {
  if (caller_text.size() <= kMaxQuoted) return caller_text;
  size_t cut = kMaxQuoted;
  while (cut > 0 && (static_cast<unsigned char>(caller_text[cut]) & 0xc0) == 0x80) --cut;
  scratch->assign(caller_text.substr(0, cut)).append("…");
  return *scratch;
}

std::string_view PartName(Part part) {
  switch (part) {
    case Part::kGrant:
      return "grant";
    case Part::kForbid:
      return "forbid";
    case Part::kCeiling:
      return "agent";
    case Part::kDelegation:
      return "delegation";
    case Part::kTask:
      return "task";
    case Part::kSeparation:
      return "separate";
    case Part::kApproval:
      return "approval";
    case Part::kLimit:
      return "limit";
    case Part::kObligation:
      return "obligation";
    case Part::kBreakGlass:
      return "break_glass";
    case Part::kLifted:
      return "lifted";
    case Part::kPartner:
      return "partner";
  }
  return "";
}

std::string_view LimitStateName(LimitState state) {
  switch (state) {
    case LimitState::kOk:
      return "ok";
    case LimitState::kNeedsApproval:
      return "needs_approval";
    case LimitState::kExceeded:
      return "exceeded";
    case LimitState::kUnknown:
      return "unknown";
    case LimitState::kCounted:
      return "counted";
  }
  return "";
}

std::string_view FactorName(Factor factor) {
  switch (factor) {
    case Factor::kSubject:
      return "subject";
    case Factor::kScope:
      return "resource";
    case Factor::kWhere:
      return "where";
    case Factor::kNotStarted:
      return "not_started";
    case Factor::kExpired:
      return "expired";
    case Factor::kRevoked:
      return "revoked";
    case Factor::kUnreviewed:
      return "unreviewed";
    case Factor::kOverdue:
      return "review_overdue";
    case Factor::kUnapproved:
      return "unapproved";
    case Factor::kNone:
      return "none";
  }
  return "";
}

std::string_view ChangeKindName(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::kNone:
      return "none";
    case Change::Kind::kJoinSubject:
      return "join_subject";
    case Change::Kind::kMeetCondition:
      return "meet_condition";
    case Change::Kind::kRenewGrant:
      return "renew_grant";
    case Change::Kind::kReviewGrant:
      return "review_grant";
    case Change::Kind::kApproveGrant:
      return "approve_grant";
    case Change::Kind::kWriteGrant:
      return "write_grant";
    case Change::Kind::kLiftForbid:
      return "lift_forbid";
    case Change::Kind::kWidenCeiling:
      return "widen_agent";
    case Change::Kind::kDelegate:
      return "delegate";
    case Change::Kind::kConsent:
      return "consent";
    case Change::Kind::kOpenTask:
      return "open_task";
    case Change::Kind::kLinkAccount:
      return "link_account";
    case Change::Kind::kRecheckLink:
      return "recheck_link";
    case Change::Kind::kLowerAmount:
      return "lower_amount";
    case Change::Kind::kRaiseLimit:
      return "raise_limit";
    case Change::Kind::kGetApproval:
      return "get_approval";
    case Change::Kind::kSupportDuty:
      return "support_duty";
    case Change::Kind::kOther:
      return "other";
  }
  return "";
}

bool ReviewDue(const Statement& s, Instant* due) {
  if (s.review_every_us == 0) return false;
  int64_t since = s.reviewed_us != INT64_MIN ? s.reviewed_us : s.granted_us;
  if (since == INT64_MIN) return false;
  std::optional<Instant> at = Add(Instant{since}, Duration{s.review_every_us});
  if (!at) return false;
  *due = *at;
  return true;
}

void AppendWhose(std::string* out, const Program& program, const LimitLine& line) {
  if (line.agent != kNone)
    out->append(" for ").append(
        program.Text(program.statements[program.agent_statements[line.agent]].name));
  if (line.deputy) out->append(" for the deputy");
}

void AppendReasonAdmin(std::string* out, const Snapshot& snapshot, const Decision& d) {
  const Program& program = snapshot.program();
  out->append(ReasonMeaning(d.reason));
  if (!d.detail.empty()) out->append(": ").append(d.detail);
  bool shown = false;
  for (const LimitLine& line : d.limits) {
    if (!line.binding || d.outcome == OutcomeKind::kPermit) continue;
    int step = ReasonStep(d.reason);
    if (step != 12 && step != 14) continue;
    if (line.state == LimitState::kOk) continue;
    const Limit& limit = program.limits[line.limit];
    out->append("; limit ").append(program.Text(limit.name));
    AppendWhose(out, program, line);
    if (line.cap.kind != ValueKind::kUnset && line.used.kind != ValueKind::kUnset) {
      out->append(": ");
      AppendValue(out, line.used, program.schema);
      out->append(" used + ");
      AppendValue(out, line.requested, program.schema);
      out->append(" asked for, against ");
      AppendValue(out, line.cap, program.schema);
    }
    if (line.state == LimitState::kUnknown)
      out->append(" (").append(ErrorKindName(line.error)).append(")");
    out->append(" (");
    AppendSpan(out, program, limit.span);
    out->append(")");
    shown = true;
  }
  if (!shown && d.outcome != OutcomeKind::kPermit && d.by.size > 0 &&
      d.reason != Reason::kWouldPermit) {
    const By& by = d.by.items[0];
    const Statement& s = program.statements[by.statement];
    out->append("; ");
    AppendStatement(out, program, by.statement);
    out->append(" (");
    AppendSpan(out, program, by.clause == kNone ? s.head : program.clauses[by.clause].span);
    out->append(")");
    if (by.match == Truth::kError) out->append(", which could not be decided and so applies");
  }
}

Span NearestSpan(const Program& program, const NearestMiss& miss) {
  if (miss.clause == kNone) return program.statements[miss.statement].head;
  const Clause& c = program.clauses[miss.clause];
  Span span = miss.factor == Factor::kSubject ? c.subject_span
              : miss.factor == Factor::kWhere ? c.where_span
                                              : c.span;
  return span.known() ? span : c.span;
}

void AppendNearest(std::string* out, const Snapshot& snapshot, const NearestMiss& miss) {
  const Program& program = snapshot.program();
  const Statement& s = program.statements[miss.statement];
  AppendStatement(out, program, miss.statement);
  out->append(": ");
  auto truth = [&](std::string_view what) {
    out->append(what);
    if (miss.truth == Truth::kError) {
      out->append(" cannot be decided (").append(ErrorKindName(miss.error)).append(")");
    } else {
      out->append(" does not hold");
    }
  };
  switch (miss.factor) {
    case Factor::kSubject:
      truth("its subject");
      if (miss.clause != kNone && program.clauses[miss.clause].subject_text != 0) {
        out->append(": ").append(program.Text(program.clauses[miss.clause].subject_text));
      }
      return;
    case Factor::kScope:
      truth("its place or id");
      return;
    case Factor::kWhere:
      truth("its condition");
      if (miss.clause != kNone)
        out->append(": ").append(program.Text(program.clauses[miss.clause].where_text));
      return;
    case Factor::kNotStarted:
      out->append("in force from ");
      AppendInstant(out, Instant{s.granted_us});
      return;
    case Factor::kExpired:
      out->append("expired at ");
      AppendInstant(out, Instant{s.expires_us});
      return;
    case Factor::kRevoked:
      out->append("revoked");
      return;
    case Factor::kUnreviewed:
      out->append("imported and never reviewed, so no agent may use it");
      return;
    case Factor::kOverdue: {
      Instant due;
      out->append("overdue for review, so no agent may use it");
      if (ReviewDue(s, &due)) {
        out->append(" (due ");
        AppendInstant(out, due);
        out->append(")");
      }
      return;
    }
    case Factor::kUnapproved:
      out->append(
          "its approver does not belong to the owner of what it grants, so no agent may use it");
      return;
    case Factor::kNone:
      out->append("it applies");
      return;
  }
}

void AppendChange(std::string* out, const Snapshot& snapshot, const Change& c) {
  const Program& program = snapshot.program();
  auto statement = [&](std::string_view before, std::string_view after = {}) {
    out->append(before);
    if (c.statement != kNone) AppendStatement(out, program, c.statement);
    out->append(after);
  };
  switch (c.kind) {
    case Change::Kind::kNone:
      return;
    case Change::Kind::kJoinSubject:
      statement("be whom ", " is for");
      if (c.clause != kNone)
        out->append(": ").append(program.Text(program.clauses[c.clause].subject_text));
      return;
    case Change::Kind::kMeetCondition:
      statement("meet the condition of ");
      if (c.clause != kNone && program.clauses[c.clause].where_text != 0) {
        out->append(": ").append(program.Text(program.clauses[c.clause].where_text));
      }
      return;
    case Change::Kind::kRenewGrant:
      return statement("put in force ");
    case Change::Kind::kReviewGrant:
      return statement("review ");
    case Change::Kind::kApproveGrant:
      return statement("have its approver confirmed by the resource's owner: ");
    case Change::Kind::kWriteGrant:
      out->append("write a grant for this");
      return;
    case Change::Kind::kLiftForbid:
      return statement("change or lift ");
    case Change::Kind::kWidenCeiling:
      return statement("add this to what it may do: ");
    case Change::Kind::kDelegate:
      return c.statement == kNone
                 ? static_cast<void>(out->append("write a delegation that lends this to the agent"))
                 : statement("be among those who lend by ");
    case Change::Kind::kConsent:
      return statement("consent to ");
    case Change::Kind::kOpenTask:
      return statement("open a task and name it", c.statement == kNone ? "" : " is bound to one");
    case Change::Kind::kLinkAccount:
      out->append("link the person's account in ")
          .append(program.Text(program.schema.systems[c.system].name));
      return;
    case Change::Kind::kRecheckLink:
      out->append("check the person's account link in ")
          .append(program.Text(program.schema.systems[c.system].name))
          .append(" again");
      return;
    case Change::Kind::kLowerAmount:
      out->append("ask for at most ");
      AppendValue(out, c.value, program.schema);
      return;
    case Change::Kind::kRaiseLimit:
      out->append("raise limit ");
      if (c.limit != kNone) out->append(program.Text(program.limits[c.limit].name));
      return;
    case Change::Kind::kGetApproval: {
      statement("get ");
      const Approval& a = program.approvals[c.approval];
      for (size_t i = 0; i < a.by.size(); ++i) {
        out->append(i == 0 ? " by " : " and by ");
        AppendNumber(out, a.by[i].count);
        out->append(" of ").append(program.Text(a.by[i].text));
      }
      out->append(" (never the person asking or whoever answers for the agent)");
      return;
    }
    case Change::Kind::kSupportDuty:
      return statement("have the application carry out, and declare, what it must do by ");
    case Change::Kind::kOther:
      out->append("limit what must be limited, or say `no limit` with a because");
      return;
  }
}

}  // namespace dpl
