#include "runtime/bytecode/disasm.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/base/instant.h"
#include "runtime/bytecode/builtin.h"
#include "runtime/bytecode/constant.h"
#include "runtime/bytecode/opcode.h"

namespace dpl {
namespace {

constexpr size_t kCommentColumn = 44;

void PadTo(std::string* line, size_t column) {
  if (line->size() < column)
    line->append(column - line->size(), ' ');
  else
    *line += "  ";
}

std::string Name(const Program& program, Str name) { return std::string(program.Text(name)); }

const char* ErrorName(uint32_t kind) {
  constexpr const char* kNames[] = {"missing", "stale",       "range",     "currency",
                                    "empty",   "containment", "membership"};
  return kind < std::size(kNames) ? kNames[kind] : "?";
}

// What an operand stands for, by name; empty where the number says all.
std::string OperandMeaning(const Program& program, Opcode op, const uint32_t* operands, int i) {
  const Schema& schema = program.schema;
  uint32_t value = operands[i];
  switch (InfoOf(op).operands[static_cast<size_t>(i)]) {
    case OperandKind::kConst: {
      std::string text;
      AppendConstant(&text, program, value);
      return text;
    }
    case OperandKind::kStr:
      return Name(program, value);
    case OperandKind::kAttr:
      if (op == Opcode::kPersonAttr)
        return "person." + Name(program, schema.person.attributes[value].name);
      if (op == Opcode::kLoadContext) return "context." + Name(program, schema.context[value].name);
      return Name(program, schema.resources[operands[0]].attributes[value].name);
    case OperandKind::kType:
      return Name(program, schema.resources[value].name);
    case OperandKind::kTeam:
      return "team " + Name(program, schema.teams[value].name);
    case OperandKind::kRole:
      return "role " + Name(program, schema.roles[value].name);
    case OperandKind::kAgentIdx:
      return "agent " + Name(program, program.statements[program.agent_statements[value]].name);
    case OperandKind::kPartnerIdx:
      return "partner " + Name(program, program.statements[program.partner_statements[value]].name);
    case OperandKind::kZone:
      return schema.zones[value].name;
    case OperandKind::kCalendar:
      return Name(program, schema.calendars[value].name);
    case OperandKind::kBuiltin:
      return std::string(InfoOf(static_cast<Builtin>(value)).name);
    case OperandKind::kCount:
      if (op == Opcode::kQuantBegin) return value == 0 ? "some" : value == 1 ? "all" : "count";
      if (op == Opcode::kPushError) return ErrorName(value);
      return "";
    case OperandKind::kSlot:
    case OperandKind::kTarget:
    case OperandKind::kEnumIdx:
      return "";
  }
  return "";
}

std::string Place(const Program& program, const Span& span) {
  if (!span.known()) return "";
  return fmt::format("{}:{}:{}", program.sources[span.file].path, span.line, span.column);
}

// The source a span covers, on one line and not too long.
std::string Excerpt(const Program& program, const Span& span) {
  if (!span.known()) return "";
  constexpr size_t kMax = 80;
  std::string_view text = program.sources[span.file].text;
  text = text.substr(span.begin, span.end - span.begin);
  std::string line;
  for (char c : text) {
    bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!space)
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  if (line.size() <= kMax) return line;
  size_t cut = kMax;
  while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xc0) == 0x80)
    --cut;  // not inside a character
  return line.substr(0, cut) + "…";
}

constexpr const char* kStatementWords[kStatementKinds] = {
    "grant",    "limit",      "forbid",   "agent",       "delegation", "task",
    "approval", "obligation", "separate", "break_glass", "partner"};
constexpr const char* kRoleWords[kClauseRoles] = {
    "may", "covers", "covers", "may", "may", "may", "covers", "between", "and", "may", "may"};
constexpr const char* kPeriodWords[] = {"each",     "per hour",  "per day",
                                        "per week", "per month", "per quarter",
                                        "per year", "in any",    "in total"};

class Listing {
 public:
  explicit Listing(const Program& program) : program_(program), schema_(program.schema) {}

  std::string All() {
    out_ += fmt::format("bundle version {}\n", kBundleVersion);
    Constants();
    for (uint32_t r = 0; r < schema_.roles.size(); ++r) {
      if (schema_.roles[r].where_code == kNone) continue;
      out_ += fmt::format("\nrole {}\n", program_.Text(schema_.roles[r].name));
      CodeOf("where", schema_.roles[r].where_code);
    }
    for (const Statement& statement : program_.statements) StatementText(statement);
    return std::move(out_);
  }

 private:
  void Constants() {
    out_ += "\nconstants\n";
    for (uint32_t i = 0; i < program_.constants.size(); ++i) {
      std::string text;
      AppendConstant(&text, program_, i);
      out_ += fmt::format("  {:5}  {}\n", i, text);
    }
  }

  void StatementText(const Statement& s) {
    out_ +=
        fmt::format("\n{} {}", kStatementWords[static_cast<int>(s.kind)], program_.Text(s.name));
    if (s.span.known()) out_ += "  ; " + Place(program_, s.span);
    out_ += '\n';
    if (s.kind == StatementKind::kForbid) CodeOf("unless", program_.forbids[s.detail].unless_code);
    if (s.kind == StatementKind::kDelegation)
      CodeOf("from", program_.delegations[s.detail].from_code);
    if (s.kind == StatementKind::kDelegation) CodeOf("to", program_.delegations[s.detail].to_code);
    if (s.kind == StatementKind::kPartner) PartnerText(program_.partners[s.detail]);
    if (s.kind == StatementKind::kSeparate) {
      const Separate& separate = program_.separates[s.detail];
      if (separate.role_a != kNone) {
        out_ += fmt::format("  roles {}, {}\n", program_.Text(schema_.roles[separate.role_a].name),
                            program_.Text(schema_.roles[separate.role_b].name));
      }
      CodeOf("by a", program_.separates[s.detail].by_code_a);
      CodeOf("by b", program_.separates[s.detail].by_code_b);
    }
    if (s.kind == StatementKind::kObligation) {
      const Obligation& obligation = program_.obligations[s.detail];
      for (const Duty& duty : obligation.duties) out_ += "  must " + DutyText(duty) + '\n';
      for (uint32_t a : obligation.asks)
        out_ +=
            fmt::format("  must ask {}\n",
                        program_.Text(program_.statements[program_.approval_statements[a]].name));
    }
    if (s.kind == StatementKind::kBreakGlass) BreakGlassText(program_.break_glasses[s.detail]);
    if (s.kind == StatementKind::kApproval) {
      for (const Approval::By& by : program_.approvals[s.detail].by) CodeOf("by", by.subject_code);
    }
    for (uint32_t c : s.clauses) ClauseText(c);
    for (uint32_t l : s.limits) LimitText(program_.limits[l]);
  }

  std::string OwnerText(const OwnerDef& owner) {
    if (owner.team != kNone) return "team " + Name(program_, schema_.teams[owner.team].name);
    std::string text;
    if (owner.person != kNone) AppendConstant(&text, program_, owner.person);
    return text;
  }

  std::string DutyText(const Duty& duty) {
    switch (duty.kind) {
      case DutyKind::kStepUp:
        return fmt::format("step_up \"{}\"", program_.Text(duty.text));
      case DutyKind::kSign:
        return fmt::format("sign meaning \"{}\"", program_.Text(duty.text));
      case DutyKind::kLog:
        return "log";
      case DutyKind::kMask: {
        std::string text = "mask";
        for (size_t i = 0; i < duty.fields.size(); ++i)
          text += (i == 0 ? " " : ", ") + Name(program_, duty.fields[i]);
        return text;
      }
      case DutyKind::kNotify:
        return "notify " + OwnerText(duty.who);
    }
    return "";
  }

  void BreakGlassText(const BreakGlass& glass) {
    for (uint32_t forbid : glass.lifts)
      out_ += fmt::format("  lifts {}\n", program_.Text(program_.statements[forbid].name));
    out_ += "  needs";
    if ((glass.needs & kNeedReason) != 0) out_ += " reason";
    if ((glass.needs & kNeedTicket) != 0) out_ += " ticket";
    out_ += fmt::format("\n  lasts {}{}\n", FormatDuration(Duration{glass.lasts_us}),
                        glass.agents ? ", agents too" : "");
    for (const Duty& duty : glass.notify) out_ += "  " + DutyText(duty) + '\n';
    out_ +=
        fmt::format("  review within {} by {}\n", FormatDuration(Duration{glass.review_within_us}),
                    OwnerText(glass.review_by));
  }

  void PartnerText(const Partner& p) {
    out_ += fmt::format("  issuer \"{}\"\n", program_.Text(p.issuer));
    if (p.accepts_agents) out_ += fmt::format("  accepts agents, at most {} hops\n", p.max_hops);
  }

  void ClauseText(uint32_t index) {
    const Clause& c = program_.clauses[index];
    const ResourceDef& type = schema_.resources[c.type];
    std::string actions;
    for (uint32_t action : c.actions) {
      if (!actions.empty()) actions += ", ";
      actions += program_.Text(type.actions[action].name);
    }
    out_ += fmt::format("  clause {}: {} {} on {}", index, kRoleWords[static_cast<int>(c.role)],
                        actions, program_.Text(type.name));
    if (c.ask_approval != kNone) {
      out_ += ", ask ";
      out_ += program_.Text(program_.statements[program_.approval_statements[c.ask_approval]].name);
    }
    out_ += "\n    keys";
    for (const SubjectKey& key : c.keys) out_ += ' ' + KeyText(key);
    out_ += '\n';
    CodeOf("subject", c.subject_code);
    CodeOf("scope", c.scope_code);
    CodeOf("where", c.where_code);
  }

  std::string KeyText(const SubjectKey& key) {
    switch (key.kind) {
      case KeyKind::kAny:
        return "any";
      case KeyKind::kPerson: {
        std::string text;
        AppendConstant(&text, program_, key.id);
        return "(" + text + ")";
      }
      case KeyKind::kTeam:
        return fmt::format("(team {})", program_.Text(schema_.teams[key.id].name));
      case KeyKind::kRole:
        return fmt::format("(role {})", program_.Text(schema_.roles[key.id].name));
      case KeyKind::kEveryone:
        return "everyone";
      case KeyKind::kPublic:
        return "public";
      case KeyKind::kAgent:
        return fmt::format(
            "(agent {})",
            program_.Text(program_.statements[program_.agent_statements[key.id]].name));
      case KeyKind::kTask:
        return fmt::format(
            "(task {})", program_.Text(program_.statements[program_.task_statements[key.id]].name));
      case KeyKind::kPartner:
        return fmt::format(
            "(partner {})",
            program_.Text(program_.statements[program_.partner_statements[key.id]].name));
    }
    return "";
  }

  void LimitText(const Limit& l) {
    out_ += fmt::format("  limit {}: {} {}", program_.Text(l.name), program_.Text(l.measure),
                        l.no_limit ? "without limit" : kPeriodWords[static_cast<int>(l.period)]);
    if (l.period == LimitPeriod::kSliding) out_ += ' ' + FormatDuration(Duration{l.window_us});
    for (const LimitKeyPart& part : l.keys)
      out_ += fmt::format(" for each {}", program_.Text(part.name));
    out_ += '\n';
    CodeOf("cap", l.cap_code);
    for (const LimitKeyPart& part : l.keys) CodeOf("key", part.code);
    for (const LimitTier& tier : l.tiers) {
      out_ += fmt::format(
          "    beyond that ask {}\n",
          program_.Text(program_.statements[program_.approval_statements[tier.approval]].name));
      CodeOf("up to", tier.up_to_code);
    }
  }

  void CodeOf(const char* what, uint32_t code) {
    if (code == kNone) return;
    out_ += fmt::format("    {}\n", what);
    std::string text = DisassembleCode(program_, code);
    for (size_t at = 0; at < text.size();) {
      size_t end = text.find('\n', at);
      out_ += "      " + text.substr(at, end - at) + '\n';
      at = end + 1;
    }
  }

  const Program& program_;
  const Schema& schema_;
  std::string out_;
};

}  // namespace

std::string DisassembleCode(const Program& program, uint32_t index) {
  const Code& code = program.codes[index];
  const uint32_t* words = program.code.data() + code.offset;
  std::string out = fmt::format("code {}: stack {}, locals {}, cost {}", index, code.max_stack,
                                code.locals, code.cost);
  if (code.span.known()) {
    PadTo(&out, kCommentColumn);
    out += fmt::format("; {}  {}", Place(program, code.span), Excerpt(program, code.span));
  }
  out += '\n';
  for (uint32_t at = 0; at < code.size;) {
    Opcode op = static_cast<Opcode>(words[at]);
    const OpcodeInfo& info = InfoOf(op);
    std::string line = fmt::format("{:5}  {}", at, info.name);
    std::string comment;
    for (int i = 0; i < info.operand_count; ++i) {
      line += fmt::format(" {}", words[at + 1 + static_cast<uint32_t>(i)]);
      std::string meaning = OperandMeaning(program, op, words + at + 1, i);
      if (!comment.empty() && !meaning.empty()) comment += ' ';
      comment += meaning;
    }
    if (!comment.empty()) {
      PadTo(&line, kCommentColumn);
      line += "; " + comment;
    }
    out += line + '\n';
    at += info.words();
  }
  return out;
}

std::string MeaningOfCode(const Program& program, uint32_t index) {
  if (index == kNone) return "";
  const Code& code = program.codes[index];
  const uint32_t* words = program.code.data() + code.offset;
  std::string out;
  for (uint32_t at = 0; at < code.size;) {
    Opcode op = static_cast<Opcode>(words[at]);
    const OpcodeInfo& info = InfoOf(op);
    out += info.name;
    for (int i = 0; i < info.operand_count; ++i) {
      std::string meaning = OperandMeaning(program, op, words + at + 1, i);
      out += ' ' +
             (meaning.empty() ? std::to_string(words[at + 1 + static_cast<uint32_t>(i)]) : meaning);
    }
    out += '\n';
    at += info.words();
  }
  return out;
}

std::string Disassemble(const Program& program) { return Listing(program).All(); }

}  // namespace dpl
