// Decisions as records.
#include "runtime/audit/record.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <unordered_map>

#include "runtime/audit/terms.h"
#include "runtime/base/sha256.h"
#include "runtime/base/text.h"
#include "runtime/decide/answer.h"
#include "runtime/decide/duty.h"
#include "runtime/decide/render.h"
#include "runtime/json/json_writer.h"
#include "runtime/json/wire_text.h"

namespace dpl {
namespace {

constexpr size_t kMostParameterBytes = 16 * 1024;  // more of them are recorded by digest only

void AppendInt(std::string* out, int64_t value) {
  char text[24];
  out->append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// `"name":` with a comma before it unless an object has just begun.
void Key(std::string* out, std::string_view name) {
  // Put together first: one call of the string's own.
  char text[64];
  DPL_CHECK(name.size() + 4 <= sizeof text);
  char* at = text;
  if (out->back() != '{') *at++ = ',';
  *at++ = '"';
  std::memcpy(at, name.data(), name.size());
  at += name.size();
  *at++ = '"';
  *at++ = ':';
  out->append(text, static_cast<size_t>(at - text));
}

void Text(std::string* out, std::string_view name, std::string_view value) {
  Key(out, name);
  AppendJsonString(out, value);
}

// Texts of our own that need no escape.
void Plain(std::string* out, std::string_view name, std::string_view value) {
  Key(out, name);
  out->push_back('"');
  out->append(value).push_back('"');
}

void Time(std::string* out, std::string_view name, Instant time) {
  Key(out, name);
  out->push_back('"');
  AppendInstant(out, time);
  out->push_back('"');
}

// Two digits for each byte.
struct HexPairs {
  char text[256][2];
  constexpr HexPairs() : text() {
    for (size_t i = 0; i < 256; ++i) {
      text[i][0] = "0123456789abcdef"[i >> 4];
      text[i][1] = "0123456789abcdef"[i & 15];
    }
  }
};
constexpr HexPairs kHexPairs;

void AppendHex(std::string* out, const Digest& digest) {
  char text[2 * std::tuple_size_v<Digest>];
  char* at = text;
  for (uint8_t byte : digest) {
    std::memcpy(at, kHexPairs.text[byte], 2);
    at += 2;
  }
  out->append(text, sizeof text);
}

}  // namespace

// What the pieces of one program look like in a record, rendered when first met.
struct RecordWriter::Fragments {
  std::shared_ptr<const Program> program;  // held, so that no other program takes its address
  std::vector<std::string> statements, clauses, agents;
  std::vector<AuditTerm> limits, actions;
  std::unordered_map<uint64_t, AuditTerm> by;  // a statement in one part, with its clause
  AuditTerm in_force;
  std::vector<size_t> action_base;  // per resource type

  void Prepare(const std::shared_ptr<const Program>& next) {
    if (program == next) return;
    program = next;
    statements.assign(program->statements.size(), {});
    clauses.assign(program->clauses.size(), {});
    limits.assign(program->limits.size(), {});
    agents.assign(program->agents.size(), {});
    by.clear();
    action_base.clear();
    size_t count = 0;
    for (const ResourceDef& type : program->schema.resources) {
      action_base.push_back(count);
      count += type.actions.size();
    }
    actions.assign(count, {});
  }

  // `"statement":"…","span":"…","because":"…","owner":"…"`
  std::string_view Statement(uint32_t index) {
    std::string& text = statements[index];
    if (text.empty()) {
      const dpl::Statement& s = program->statements[index];
      text.push_back('{');  // for Key; cut below
      Text(&text, "statement", program->Text(s.name));
      Span(&text, "span", s.span);
      if (s.because != 0) Text(&text, "because", program->Text(s.because));
      Owner(&text, s.owner);
      text.erase(0, 1);
    }
    return text;
  }
  std::string_view Clause(uint32_t index) {
    std::string& text = clauses[index];
    if (text.empty()) {
      const dpl::Clause& clause = program->clauses[index];
      Span(&text, "clause", clause.span);
      if (program->statements[clause.statement].kind == StatementKind::kGrant && clause.row > 0) {
        Key(&text, "row");
        AppendInt(&text, clause.row + 1);
      }
    }
    return text;
  }
  AuditTerm* By(const dpl::By& b) {
    const uint64_t key =
        uint64_t{b.statement} << 36 ^ (b.clause == kNone ? 0 : uint64_t{b.clause} + 1) << 8 ^
        uint64_t { static_cast<uint8_t>(b.part) } << 2 ^ (b.match == Truth::kError ? 1u : 0u);
    AuditTerm& term = by[key];
    if (term.members.empty()) {
      std::string& text = term.members;
      text.assign(Statement(b.statement));
      Plain(&text, "as", PartName(b.part));
      if (b.clause != kNone) {
        std::string_view clause = Clause(b.clause);
        if (!clause.empty()) text.append(",").append(clause);
      }
      if (b.match == Truth::kError) Plain(&text, "match", "unknown");
    }
    return &term;
  }
  AuditTerm* InForce(std::string_view members) {
    if (in_force.members != members) in_force = {std::string(members)};
    return &in_force;
  }
  AuditTerm* Limit(uint32_t index) {
    std::string& text = limits[index].members;
    if (text.empty()) {
      const dpl::Limit& limit = program->limits[index];
      text.push_back('{');
      Text(&text, "name", program->Text(limit.name));
      std::string period;
      AppendPeriod(&period, limit);
      Plain(&text, "period", period);
      Span(&text, "span", limit.span);
      Owner(&text, program->statements[limit.statement].owner);
      text.erase(0, 1);
    }
    return &limits[index];
  }
  std::string_view Agent(uint32_t index) {
    std::string& text = agents[index];
    if (text.empty()) {
      text.push_back('{');
      Text(&text, "agent",
           program->Text(program->statements[program->agent_statements[index]].name));
      text.erase(0, 1);
    }
    return text;
  }
  // `"action":"…","type":"…","system":"…"`
  AuditTerm* Action(uint32_t type, uint32_t action) {
    AuditTerm* term = &actions[action_base[type] + action];
    std::string& text = term->members;
    if (text.empty()) {
      const ResourceDef& def = program->schema.resources[type];
      text.push_back('{');
      Text(&text, "action", program->Text(def.actions[action].name));
      Text(&text, "type", program->Text(def.name));
      if (def.system != kNone)
        Text(&text, "system", program->Text(program->schema.systems[def.system].name));
      text.erase(0, 1);
    }
    return term;
  }

 private:
  void Span(std::string* text, std::string_view name, const dpl::Span& span) {
    if (!span.known()) return;
    std::string place;
    AppendSpan(&place, *program, span);
    if (text->empty()) {
      text->push_back('{');
      Text(text, name, place);
      text->erase(0, 1);
    } else {
      Text(text, name, place);
    }
  }
  void Owner(std::string* text, const OwnerDef& owner) {
    std::string name;
    AppendOwner(&name, *program, owner);
    if (!name.empty()) Text(text, "owner", name);
  }
};

namespace {

// Writes the parts of one record.
template <class Fragments>
class Record {
 public:
  Record(std::string* out, AuditTerms* terms, Fragments* fragments, std::string* text,
         const Snapshot& snapshot, const Request& request, const Decision& d)
      : out_(out),
        terms_(terms),
        fragments_(*fragments),
        text_(*text),
        snapshot_(snapshot),
        program_(snapshot.program()),
        request_(request),
        d_(d) {}

  void Head(const RecordContext& c) {
    out_->append(terms_ == nullptr ? R"({"v":1,"kind":"decision")" : R"({"v":3,"kind":"decision")");
    Plain(out_, "id", c.evaluation_id);
    Time(out_, "time", d_.now);
    Text(out_, "caller", request_.caller->name);
    if (!c.request_id.empty()) {
      // Where it is a charge key as well, nobody who reads the log may use it again.
      if (request_.caller->request_id_keys) {
        Key(out_, "request_id_sha256");
        out_->push_back('"');
        AppendKeyedDigest(out_, c.digest_key, c.request_id);
        out_->push_back('"');
      } else {
        Text(out_, "request_id", c.request_id);
      }
    }
    if (!c.trace_id.empty()) {
      Plain(out_, "trace_id", c.trace_id);
      Plain(out_, "span_id", c.span_id);
    }
    if (c.item >= 0) Number("item", c.item);
    Plain(out_, "outcome", OutcomeName(d_.outcome));
    Plain(out_, "reason", ReasonCode(d_.reason));
    if (d_.dry_run) Flag("dry_run");
    if (d_.replayed) Flag("replayed");
    if (!d_.detail.empty()) Text(out_, "detail", d_.detail);
  }

  void Says() {
    text_.clear();
    AppendSentence(&text_, snapshot_, request_, d_);
    text_.append(" at ");
    AppendInstant(&text_, d_.now);
    if (d_.dry_run) {
      text_.append(d_.reason == Reason::kWouldPermit ? ": would be permitted (dry run)"
                                                     : ": would not be permitted (dry run)");
    } else {
      text_.append(d_.outcome == OutcomeKind::kPermit ? ": permitted"
                   : d_.outcome == OutcomeKind::kAsk  ? ": needs an approval"
                                                      : ": denied");
    }
    Text(out_, "says", text_);
  }

  void Who() {
    Key(out_, "who");
    out_->push_back('{');
    Plain(out_, "mode", ModeName(d_.mode));
    if (d_.partner != kNone) {
      Text(out_, "partner",
           program_.Text(program_.statements[program_.partner_statements[d_.partner]].name));
      Caller("subject", request_.subject_id);
    } else if (d_.person != nullptr) {
      Text(out_, "person", d_.person->id);
      if (d_.deputy != nullptr) Text(out_, "deputy", d_.deputy->id);
    } else {
      Key(out_, "subject");
      out_->push_back('{');
      Caller("type", request_.subject_type);
      Caller("id", request_.subject_id);
      out_->push_back('}');
    }
    if (d_.account_system != kNone) {
      text_.assign(program_.Text(program_.schema.systems[d_.account_system].name))
          .append(":")
          .append(d_.account_key);
      Text(out_, "account", text_);
    }
    if (d_.chain.size > 0) {
      Hop(d_.chain.items[d_.chain.size - 1], false);
      if (d_.accountable != kNone)
        Text(out_, "accountable", program_.constants[d_.accountable].text);
      Key(out_, "chain");
      out_->push_back('[');
      for (const HopOut& hop : d_.chain) {
        Open();
        Hop(hop, true);
        Key(out_, "ok");
        out_->append(hop.ok ? "true" : "false");
        if (!hop.ok) Plain(out_, "reason", ReasonCode(hop.reason));
        out_->push_back('}');
      }
      out_->push_back(']');
    } else if (request_.hop_count > 0) {
      // Not understood as a chain: as it was sent.
      Key(out_, "asked_as");
      out_->push_back('[');
      for (int i = 0; i < request_.hop_count; ++i) {
        Comma();
        AppendJsonString(out_, Capped(request_.hops[static_cast<size_t>(i)].agent, &text_));
      }
      out_->push_back(']');
    }
    out_->push_back('}');
  }

  void What() {
    Key(out_, "what");
    out_->push_back('{');
    if (d_.type == kNone || d_.action == kNone) {
      Caller("action", request_.action);
      Caller("type", request_.resource_type);
    } else {
      Members(fragments_.Action(d_.type, d_.action));
    }
    Caller("id", request_.resource_id);
    Caller("task", d_.task.empty() ? request_.task : d_.task);
    out_->push_back('}');
  }

  void Parameters(const RecordContext& c) {
    if (c.parameters.size() <= 2) return;  // {}
    Key(out_, "parameters");
    out_->push_back('{');
    Key(out_, "sha256");
    out_->push_back('"');
    AppendKeyedDigest(out_, c.digest_key, c.parameters);
    out_->push_back('"');
    if (LogsValues(d_) && c.parameters.size() <= kMostParameterBytes) {
      Key(out_, "values");
      out_->append(c.parameters);
    }
    out_->push_back('}');
  }

  void Statements() {
    if (d_.by.size == 0) return;
    Key(out_, "by");
    out_->push_back('[');
    for (const By& by : d_.by) {
      Comma();
      AuditTerm* term = fragments_.By(by);
      if (terms_ != nullptr) {
        AppendInt(out_, terms_->NumberOf(term));
      } else {
        out_->append("{").append(term->members).append("}");
      }
    }
    out_->push_back(']');
    if (d_.by.truncated) Flag("by_truncated");
  }

  // Before and after: what the counter held, and what it holds once this decision is in force.
  void Limits() {
    if (d_.limits.size != 0) {
      Key(out_, "limits");
      out_->push_back('[');
      for (const LimitLine& line : d_.limits) {
        Open();
        Members(fragments_.Limit(line.limit));
        if (line.agent != kNone) {
          if (out_->back() != '{') out_->push_back(',');
          out_->append(fragments_.Agent(line.agent));
        }
        if (line.deputy) Text(out_, "person", d_.deputy->id);
        Plain(out_, "state", LimitStateName(line.state));
        if (line.state == LimitState::kUnknown) Plain(out_, "why", ErrorKindName(line.error));
        Amount("before", line.used);
        Amount("requested", line.requested);
        Amount("after", After(line));
        Amount("cap", line.cap);
        Amount("left", line.left);
        if (line.binding) Flag("binding");
        if (line.has_window) Time(out_, "resets", line.resets);
        out_->push_back('}');
      }
      out_->push_back(']');
      if (d_.limits.truncated) Flag("limits_truncated");
    }
    if (d_.reservation == 0) return;
    Key(out_, "reservation");
    out_->push_back('{');
    Key(out_, "id");
    AppendInt(out_, static_cast<int64_t>(d_.reservation));
    Time(out_, "until", d_.reservation_deadline);
    out_->push_back('}');
  }

  void Rest(const RecordContext& c) {
    Names("approvals", d_.approvals, [&](uint32_t a) {
      return program_.Text(program_.statements[program_.approval_statements[a]].name);
    });
    if (request_.approval_count > 0) {
      Key(out_, "evidence");
      out_->push_back('[');
      for (int i = 0; i < request_.approval_count; ++i) {
        Comma();
        AppendJsonString(out_, Capped(request_.approvals[static_cast<size_t>(i)], &text_));
      }
      out_->push_back(']');
    }
    Names("duties", d_.duties, [&](const DutyOut& duty) { return DutyName(duty.kind); });
    if (d_.opening.statement != kNone) {
      const OpeningOut& o = d_.opening;
      Key(out_, "break_glass");
      out_->push_back('{');
      out_->append(fragments_.Statement(o.statement));
      Time(out_, "opened", o.opened);
      Time(out_, "until", o.until);
      Time(out_, "review_due", o.review_due);
      Number("uses", static_cast<int64_t>(o.uses));
      Caller("reason", request_.break_glass_reason);
      Caller("ticket", request_.break_glass_ticket);
      out_->push_back('}');
    } else if (!request_.break_glass.empty()) {
      Caller("break_glass_named", request_.break_glass);
    }
    if (d_.reason == Reason::kApprovalRequired)
      Plain(out_, "binding", std::string_view(d_.request_digest, 64));
    Number("epoch", static_cast<int64_t>(d_.epoch));
    if (!c.in_force.empty() && terms_ == nullptr) Members(fragments_.InForce(c.in_force));
    AppendRecordEnd(out_,
                    c.in_force.empty() || terms_ == nullptr
                        ? 0
                        : terms_->NumberOf(fragments_.InForce(c.in_force)),
                    c.sealed_at);
  }

 private:
  // A term's members, or its number.
  void Members(AuditTerm* term) {
    if (terms_ != nullptr) return Number("t", terms_->NumberOf(term));
    if (out_->back() != '{') out_->push_back(',');
    out_->append(term->members);
  }
  void Comma() {
    if (out_->back() != '[') out_->push_back(',');
  }
  void Open() {
    Comma();
    out_->push_back('{');
  }
  void Flag(std::string_view name) {
    Key(out_, name);
    out_->append("true");
  }
  void Number(std::string_view name, int64_t value) {
    Key(out_, name);
    AppendInt(out_, value);
  }
  void Caller(std::string_view name, std::string_view value) {
    if (!value.empty()) Text(out_, name, Capped(value, &text_));
  }
  template <class List, class Name>
  void Names(std::string_view key, const List& list, Name name) {
    if (list.size == 0) return;
    Key(out_, key);
    out_->push_back('[');
    for (const auto& item : list) {
      Comma();
      AppendJsonString(out_, name(item));
    }
    out_->push_back(']');
  }
  void Hop(const HopOut& hop, bool in_chain) {
    if (hop.person != nullptr) {
      if (in_chain) Text(out_, "person", hop.person->id);
      return;
    }
    if (hop.agent != kNone) {
      if (out_->back() != '{') out_->push_back(',');
      out_->append(fragments_.Agent(hop.agent));
    } else {
      Caller("partner_agent", hop.foreign);
    }
    Caller("instance", hop.instance);
  }
  void Amount(std::string_view name, const Value& v) {
    if (v.kind == ValueKind::kUnset) return;
    text_.clear();
    AppendValue(&text_, v, program_.schema);
    Text(out_, name, text_);
  }
  Value After(const LimitLine& line) const {
    return AmountAfter(ChargedAmounts(d_), line.used, line.requested);
  }

  std::string* out_;
  AuditTerms* terms_;
  Fragments& fragments_;
  std::string& text_;
  const Snapshot& snapshot_;
  const Program& program_;
  const Request& request_;
  const Decision& d_;
};

}  // namespace

RecordWriter::RecordWriter(AuditTerms* terms)
    : terms_(terms), fragments_(std::make_unique<Fragments>()) {}
RecordWriter::~RecordWriter() = default;

void RecordWriter::Append(std::string* out, const Snapshot& snapshot, const Request& request,
                          const Decision& decision, const RecordContext& context) {
  fragments_->Prepare(snapshot.shared_program());
  Record<Fragments> record(out, terms_, fragments_.get(), &text_, snapshot, request, decision);
  record.Head(context);
  record.Says();
  record.Who();
  record.What();
  record.Parameters(context);
  record.Statements();
  record.Limits();
  record.Rest(context);
}

uint32_t RecordWriter::NumberOf(const Snapshot& snapshot, std::string_view in_force) {
  if (in_force.empty() || terms_ == nullptr) return 0;
  fragments_->Prepare(snapshot.shared_program());
  return terms_->NumberOf(fragments_->InForce(in_force));
}

void AppendRecordEnd(std::string* out, uint32_t in_force, int sealed_at) {
  if (in_force != 0) {
    Key(out, "t");
    AppendInt(out, in_force);
  }
  if (sealed_at >= 0) {
    Key(out, "q");
    AppendInt(out, sealed_at);
  }
  out->push_back('}');
}

bool ChargedAmounts(const Decision& decision) {
  // A replay charged nothing; a denial and an ask charge nothing.
  return decision.outcome == OutcomeKind::kPermit && !decision.dry_run && !decision.replayed;
}

Value AmountAfter(bool charged, const Value& used, const Value& requested) {
  Value after = used;
  if (used.kind == ValueKind::kUnset || !charged) return after;
  if (requested.kind != used.kind || __builtin_add_overflow(used.i, requested.i, &after.i))
    return Value{};
  return after;
}

void AppendKeyedDigest(std::string* out, std::string_view key, std::string_view text) {
  AppendHex(out, Sha256(key, text));
}

void AppendRefusedRecord(std::string* out, const RefusedQuestion& refused) {
  out->append(R"({"v":1,"kind":"refused")");
  Time(out, "time", refused.time);
  Text(out, "caller", refused.caller);
  if (!refused.request_id.empty()) Text(out, "request_id", refused.request_id);
  if (!refused.trace_id.empty()) {
    Plain(out, "trace_id", refused.trace_id);
    Plain(out, "span_id", refused.span_id);
  }
  if (refused.item >= 0) {
    Key(out, "item");
    AppendInt(out, refused.item);
  }
  Key(out, "status");
  AppendInt(out, refused.status);
  Text(out, "why", refused.why);
  out->push_back('}');
}

bool LogsValues(const Decision& decision) {
  if (decision.outcome != OutcomeKind::kPermit || decision.dry_run) return false;
  return std::any_of(decision.duties.begin(), decision.duties.end(),
                     [](const DutyOut& duty) { return duty.kind == DutyKind::kLog; });
}

bool WaitsForRecord(const Decision& decision) {
  if (decision.ticket != 0 || decision.reservation != 0) return true;
  if (decision.opening.statement != kNone && decision.outcome == OutcomeKind::kPermit) return true;
  return LogsValues(decision);
}

void AppendParameters(std::string* out, const Program& program, const Decision& decision,
                      const Request& request) {
  out->push_back('{');
  if (decision.type != kNone && decision.action != kNone && request.action_properties != nullptr) {
    const ActionDef& action = program.schema.resources[decision.type].actions[decision.action];
    for (const ParamDef& param : action.params) {
      std::string_view name = program.Text(param.wire);
      const WireValue* value = request.action_properties->Find(name);
      if (value == nullptr || value->is_null() || name == "idempotency_key") continue;
      if (out->back() != '{') out->push_back(',');
      AppendJsonString(out, name);
      out->push_back(':');
      AppendWireText(out, *value);
    }
  }
  out->push_back('}');
}

}  // namespace dpl
