// A Decision as the JSON of an AuthZEN answer; the shape is documented in docs/api.md.
#include "runtime/decide/answer.h"

#include <algorithm>

#include "runtime/decide/answer_pieces.h"
#include "runtime/decide/ask.h"
#include "runtime/decide/duty.h"
#include "runtime/decide/render.h"
#include "runtime/json/json_composer.h"

namespace dpl {
namespace {

// What is always said of a reason, and of one that nothing need be added to: members, ready.
struct ReasonMembers {
  std::string_view told, admin;
};
constexpr ReasonMembers kReasonMembers[] = {
#define DPL_REASON(name, code, step, user, meaning) \
  {"\"reason\":\"" code "\",\"reason_user\":\"" user "\"", "\"reason_admin\":\"" meaning "\""},
#include "runtime/decide/reasons.def"
#undef DPL_REASON
};
// None of these texts needs an escape.
constexpr bool AllArePlain() {
  for (std::string_view text : {
#define DPL_REASON(name, code, step, user, meaning) std::string_view(code user meaning),
#include "runtime/decide/reasons.def"
#undef DPL_REASON
           std::string_view()}) {
    for (char c : text) {
      if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') return false;
    }
  }
  return true;
}
static_assert(AllArePlain());

const ReasonMembers& MembersOf(Reason reason) {
  return kReasonMembers[static_cast<size_t>(reason)];
}

class AnswerWriter {
 public:
  AnswerWriter(std::string* out, const Snapshot& snapshot, const Request& request,
               const Decision& d, const AnswerOptions& options)
      : w_(out),
        snapshot_(snapshot),
        program_(snapshot.program()),
        request_(request),
        d_(d),
        options_(options),
        level_(std::min(request.level, options.details ? Explain::kTrace : Explain::kReason)),
        text_(options.text != nullptr ? *options.text : own_text_) {}

  void Write() {
    Reason reason = options_.details ? d_.reason : d_.shown;
    if (d_.outcome == OutcomeKind::kPermit && !d_.dry_run) {
      w_.Begin("{\"decision\":true,\"context\":{");
    } else {
      w_.Begin("{\"decision\":false,\"context\":{");
    }
    if (!options_.evaluation_id.empty()) w_.Member("evaluation_id", options_.evaluation_id);
    if (level_ == Explain::kNone) {
      LeastOfAll();
      w_.EndObject().EndObject();
      return;
    }
    w_.Raw(MembersOf(reason).told);
    if (level_ >= Explain::kFull && d_.outcome == OutcomeKind::kPermit && d_.detail.empty()) {
      w_.Raw(MembersOf(d_.reason).admin);
    } else if (level_ >= Explain::kFull) {
      text_.clear();
      AppendReasonAdmin(&text_, snapshot_, d_);
      w_.Member("reason_admin", text_);
    }
    if (d_.outcome == OutcomeKind::kAsk) AccessRequest();
    Conditions();
    Obligations();
    Body(reason);
    w_.EndObject().EndObject().EndObject();
    w_.Finish();
  }

  bool WriteObligations() {
    if (!HasObligations()) return false;
    w_.BeginObject();
    Obligations();
    w_.EndObject();
    return true;
  }

 private:
  template <size_t N>
  void Time(const char (&name)[N], Instant t) {
    w_.Key(name).Time(t);
  }
  template <size_t N>
  void ValueMember(const char (&name)[N], const Value& v) {
    if (v.kind == ValueKind::kUnset) return;
    text_.clear();
    AppendValue(&text_, v, program_.schema);
    w_.Member(name, text_);
  }
  template <size_t N>
  void SpanMember(const char (&name)[N], const Span& span) {
    if (!span.known()) return;
    text_.clear();
    AppendSpan(&text_, program_, span);
    w_.Member(name, text_);
  }
  void OwnerMember(const OwnerDef& owner, std::string_view otherwise) {
    text_.clear();
    AppendOwner(&text_, program_, owner);
    if (!text_.empty() || !otherwise.empty())
      w_.Member("owner", text_.empty() ? otherwise : std::string_view(text_));
  }
  template <size_t N>
  void CallerText(const char (&name)[N], std::string_view value) {
    if (!value.empty()) w_.Member(name, Capped(value, &text_));
  }
  std::string_view NameOf(uint32_t statement) const {
    return program_.Text(program_.statements[statement].name);
  }
  std::string_view AgentName(uint32_t agent) const {
    return NameOf(program_.agent_statements[agent]);
  }

  void AccessRequest() {
    w_.Key("access_request").BeginObject();
    if (!options_.request_endpoint.empty()) w_.Member("endpoint", options_.request_endpoint);
    if (d_.approvals.size > 0)
      w_.Member("template", NameOf(program_.approval_statements[d_.approvals.items[0]]));
    w_.Key("templates").BeginArray();  // all that are needed
    for (uint32_t approval : d_.approvals) {
      const Approval& a = program_.approvals[approval];
      w_.BeginObject();
      w_.Member("template", NameOf(program_.approval_statements[approval]));
      ApprovedBy("approvers", a);
      if (a.signs != 0) w_.Member("meaning", program_.Text(a.signs));
      w_.EndObject();
    }
    w_.EndArray();
    Time("expires_at", AskExpires(program_, d_));
    w_.Member("binding_token", std::string_view(d_.request_digest, 64));
    w_.EndObject();
  }

  // "1 of role acme.lead", each of which must be met.
  template <size_t N>
  void ApprovedBy(const char (&name)[N], const Approval& approval) {
    w_.Key(name).BeginArray();
    for (const Approval::By& by : approval.by) {
      text_.assign(std::to_string(by.count)).append(" of ").append(program_.Text(by.text));
      w_.String(text_);
    }
    w_.EndArray();
  }

  // What a permit cannot be enforced without, and nothing of why.
  void LeastOfAll() {
    Obligations();
    if (d_.reservation == 0) return;
    w_.Key("dpl").BeginObject();
    Reservation();
    w_.EndObject();
  }

  // Until when a permit may be relied on.
  void Conditions() {
    if (d_.outcome != OutcomeKind::kPermit || d_.dry_run) return;
    w_.Begin("\"conditions\":{\"valid_until\":").Time(d_.valid_until).EndObject();
  }

  void Reservation() {
    w_.Key("reservation").BeginObject();
    w_.Key("id").Uint(d_.reservation);
    Time("until", d_.reservation_deadline);
    if (d_.replayed) w_.Key("replayed").Bool(true);
    w_.EndObject();
  }

  // For whoever carries them out, details or not. `log` is ours.
  bool HasObligations() const {
    bool any = false;
    for (const DutyOut& out : d_.duties) any |= out.kind != DutyKind::kLog;
    return any;
  }
  void Obligations() {
    if (!HasObligations()) return;
    w_.Key("obligations").BeginArray();
    for (const DutyOut& out : d_.duties) {
      if (out.kind == DutyKind::kLog) continue;
      const Duty& duty = DutyOf(program_, out);
      w_.BeginObject();
      text_.assign(NameOf(out.statement)).append("#").append(std::to_string(out.index + 1));
      w_.Member("id", text_);
      w_.Member("type", out.kind == DutyKind::kStepUp   ? "step-up"
                        : out.kind == DutyKind::kNotify ? "notification"
                                                        : "custom");
      w_.Key("properties").BeginObject();
      DutyProperties(out, duty);
      w_.EndObject().EndObject();
    }
    w_.EndArray();
  }

  void DutyProperties(const DutyOut& out, const Duty& duty) {
    switch (out.kind) {
      case DutyKind::kStepUp:
        w_.Member("acr_value", program_.Text(duty.text));
        return;
      case DutyKind::kSign:  // the name, time and meaning that a signature shows are the signer's
        w_.Member("duty", "sign");
        w_.Member("meaning", program_.Text(duty.text));
        if (d_.person != nullptr) w_.Member("signer", d_.person->id);
        return;
      case DutyKind::kMask:
        w_.Member("duty", "mask");
        w_.Key("fields").BeginArray();
        for (Str field : duty.fields) w_.String(WireOfField(field));
        w_.EndArray();
        return;
      case DutyKind::kNotify:
        text_.clear();
        AppendOwner(&text_, program_, duty.who);
        w_.Member("to", text_);
        w_.Member("topic", NameOf(out.statement));
        return;
      case DutyKind::kLog:
        return;
    }
  }

  std::string_view WireOfField(Str field) const {
    for (const AttributeDef& attribute : program_.schema.resources[d_.type].attributes) {
      if (attribute.name == field) return program_.Text(attribute.wire);
    }
    return program_.Text(field);
  }

  void Opening() {
    const OpeningOut& o = d_.opening;
    if (o.statement == kNone) return;
    const Statement& s = program_.statements[o.statement];
    const BreakGlass& door = program_.break_glasses[s.detail];
    w_.Key("break_glass").BeginObject();
    w_.Member("name", program_.Text(s.name));
    Time("opened", o.opened);
    Time("until", o.until);
    Time("review_due", o.review_due);
    if (level_ >= Explain::kFull) {
      w_.Key("uses").Uint(o.uses);
      CallerText("reason", request_.break_glass_reason);
      CallerText("ticket", request_.break_glass_ticket);
      text_.clear();
      AppendOwner(&text_, program_, door.review_by);
      w_.Member("review_by", text_);
    }
    w_.EndObject();
  }

  void Duties() {
    if (d_.duties.size == 0) return;
    w_.Key("duties").BeginArray();
    for (const DutyOut& out : d_.duties) {
      const Duty& duty = DutyOf(program_, out);
      w_.BeginObject();
      w_.Member("duty", DutyName(out.kind));
      text_.clear();
      AppendDuty(&text_, program_, out);
      w_.Member("must", text_);
      if (out.kind == DutyKind::kLog) w_.Member("by", "decision point");
      if (out.statement != kNone) {
        w_.Member("statement", NameOf(out.statement));
        SpanMember("span", duty.span);
        OwnerMember(program_.statements[out.statement].owner, {});
      }
      w_.EndObject();
    }
    w_.EndArray();
  }

  void Body(Reason reason) {
    w_.Begin("\"dpl\":{\"outcome\":").Plain(OutcomeName(d_.outcome));
    if (d_.dry_run) {
      bool permit = d_.reason == Reason::kWouldPermit;
      w_.Member("would", permit ? "permit" : OutcomeName(d_.outcome));
    }
    w_.Begin("\"versions\":{");
    if (options_.parts != nullptr) {
      w_.Raw(options_.parts->Policy());
    } else {
      WritePolicy(&w_, program_);
    }
    if (!snapshot_.facts_version().empty()) w_.Member("data", snapshot_.facts_version());
    w_.Key("epoch").Uint(d_.epoch);
    if (program_.schema.zones.size() > 1 && !program_.schema.zones[1].version.empty()) {
      w_.Member("zones", program_.schema.zones[1].version);
    }
    w_.EndObject();
    Time("now", d_.now);
    Time("valid_until", d_.valid_until);
    if (d_.reservation != 0) Reservation();
    Opening();
    Ignored();
    if (level_ < Explain::kFull) return;
    w_.Key("step").Int(ReasonStep(reason));
    if (d_.also.size > 0) {
      w_.Key("also").BeginArray();
      for (Reason r : d_.also) w_.String(ReasonCode(r));
      w_.EndArray();
    }
    if (!d_.detail.empty()) w_.Member("detail", d_.detail);
    Who();
    What();
    Statements();
    Limits();
    Asked();
    Duties();
    Nearest();
    Changes();
  }

  void Ignored() {
    if (d_.ignored.size == 0) return;
    w_.Key("ignored").BeginArray();
    for (std::string_view name : d_.ignored) w_.String(Capped(name, &text_));
    if (d_.ignored.truncated) w_.String("…");
    w_.EndArray();
  }

  void Who() {
    w_.Begin("\"who\":{\"mode\":").Plain(ModeName(d_.mode));
    if (d_.partner != kNone) {
      w_.Member("partner", NameOf(program_.partner_statements[d_.partner]));
      CallerText("subject", request_.subject_id);
    } else if (d_.person != nullptr) {
      w_.Member("person", d_.person->id);
      if (d_.deputy != nullptr) w_.Member("deputy", d_.deputy->id);
    } else {
      w_.Key("subject").BeginObject();
      CallerText("type", request_.subject_type);
      CallerText("id", request_.subject_id);
      w_.EndObject();
    }
    if (d_.account_system != kNone) {
      text_.assign(program_.Text(program_.schema.systems[d_.account_system].name))
          .append(":")
          .append(d_.account_key);
      w_.Member("account", text_);
    }
    if (d_.chain.size > 0) {
      const HopOut& actor = d_.chain.items[d_.chain.size - 1];
      Hop(actor);
      if (d_.accountable != kNone)
        w_.Member("accountable", program_.constants[d_.accountable].text);
      w_.Begin("\"chain\":[");
      for (const HopOut& hop : d_.chain) {
        w_.BeginObject();
        Hop(hop, true);
        w_.Key("ok").Bool(hop.ok);
        if (!hop.ok) w_.Member("reason", ReasonCode(hop.reason));
        w_.EndObject();
      }
      w_.EndArray();
    }
    w_.EndObject();
  }

  // Our agent by its qualified name, a partner's as it was sent; a person among agents by the key.
  void Hop(const HopOut& hop, bool in_chain = false) {
    if (hop.person != nullptr) {
      if (in_chain) w_.Member("person", hop.person->id);
      return;
    }
    if (hop.agent != kNone && options_.parts != nullptr) {
      w_.Raw(options_.parts->Agent(hop.agent));
    } else if (hop.agent != kNone) {
      w_.Member("agent", AgentName(hop.agent));
    } else {
      CallerText("partner_agent", hop.foreign);
    }
    CallerText("instance", hop.instance);
  }

  void What() {
    w_.Begin("\"what\":{");
    if (d_.type == kNone || d_.action == kNone) {
      CallerText("action", request_.action);
      CallerText("type", request_.resource_type);
    } else if (options_.parts != nullptr) {
      w_.Raw(options_.parts->What(d_.type, d_.action));
    } else {
      const ResourceDef& type = program_.schema.resources[d_.type];
      w_.Member("action", program_.Text(type.actions[d_.action].name));
      w_.Member("type", program_.Text(type.name));
    }
    CallerText("id", request_.resource_id);
    CallerText("task", d_.task);
    w_.EndObject();
  }

  void Statements() {
    w_.Begin("\"by\":[");
    for (const By& by : d_.by) {
      std::string_view ready = options_.parts == nullptr ? "" : options_.parts->Of(by);
      if (ready.empty()) {
        WriteBy(&w_, program_, by, &text_);
      } else {
        w_.Raw(ready);
      }
    }
    w_.EndArray();
    if (d_.by.truncated) w_.Key("by_truncated").Bool(true);
  }

  void Limits() {
    if (d_.limits.size == 0) return;
    w_.Key("limits").BeginArray();
    for (const LimitLine& line : d_.limits) {
      const Limit& limit = program_.limits[line.limit];
      w_.BeginObject();
      w_.Member("name", program_.Text(limit.name));
      SpanMember("span", limit.span);
      if (line.agent != kNone) w_.Member("agent", NameOf(program_.agent_statements[line.agent]));
      if (line.deputy) w_.Member("person", d_.deputy->id);
      w_.Member("state", LimitStateName(line.state));
      if (line.state == LimitState::kUnknown) w_.Member("why", ErrorKindName(line.error));
      ValueMember("used", line.used);
      ValueMember("requested", line.requested);
      ValueMember("cap", line.cap);
      ValueMember("left", line.left);
      if (line.binding) w_.Key("binding").Bool(true);
      if (line.approval != kNone) {
        w_.Member("ask", NameOf(program_.approval_statements[line.approval]));
        ValueMember("up_to", line.up_to);
      }
      if (limit.period != LimitPeriod::kEach && !limit.no_limit) {
        text_.clear();
        AppendWindow(&text_, program_, limit);
        w_.Member("window", text_);
      }
      if (line.has_window) {
        Time("resets", line.resets);
        if (line.state == LimitState::kExceeded) Time("retry_after", line.resets);
      }
      OwnerMember(program_.statements[limit.statement].owner, {});
      w_.EndObject();
    }
    w_.EndArray();
    if (d_.limits.truncated) w_.Key("limits_truncated").Bool(true);
  }

  void Asked() {
    if (d_.approvals.size == 0) return;
    w_.Key("approvals").BeginArray();
    for (uint32_t a : d_.approvals) {
      const Approval& approval = program_.approvals[a];
      w_.BeginObject();
      w_.Member("approval", NameOf(program_.approval_statements[a]));
      ApprovedBy("by", approval);
      if (approval.signs != 0) w_.Member("signs", program_.Text(approval.signs));
      w_.EndObject();
    }
    w_.EndArray();
  }

  void Nearest() {
    const NearestMiss& miss = d_.nearest;
    if (miss.statement == kNone) return;
    w_.Key("nearest").BeginObject();
    w_.Member("statement", NameOf(miss.statement));
    w_.Member("failed", FactorName(miss.factor));
    SpanMember("span", NearestSpan(program_, miss));
    text_.clear();
    AppendNearest(&text_, snapshot_, miss);
    w_.Member("text", text_);
    OwnerMember(program_.statements[miss.statement].owner, {});
    w_.EndObject();
  }

  void Changes() {
    if (d_.changes.size == 0) return;
    w_.Key("to_change").BeginArray();
    for (const Change& c : d_.changes) {
      w_.BeginObject();
      w_.Member("kind", ChangeKindName(c.kind));
      text_.clear();
      AppendChange(&text_, snapshot_, c);
      w_.Member("do", text_);
      OwnerMember(c.owner, "the person asking");
      w_.Member("helps", c.verified ? "yes" : "cannot tell");
      w_.EndObject();
    }
    w_.EndArray();
  }

  JsonComposer w_;
  const Snapshot& snapshot_;
  const Program& program_;
  const Request& request_;
  const Decision& d_;
  const AnswerOptions& options_;
  const Explain level_;
  std::string own_text_;
  std::string& text_;
};

}  // namespace

void AppendAnswerJson(std::string* out, const Snapshot& snapshot, const Request& request,
                      const Decision& decision, const AnswerOptions& options) {
  if (options.parts != nullptr)
    options.parts->Fetch({decision.by.items, static_cast<size_t>(decision.by.size)});
  AnswerWriter(out, snapshot, request, decision, options).Write();
}

bool AppendObligationsJson(std::string* out, const Snapshot& snapshot, const Decision& decision) {
  const Request nobody;
  const AnswerOptions options;
  return AnswerWriter(out, snapshot, nobody, decision, options).WriteObligations();
}

}  // namespace dpl
