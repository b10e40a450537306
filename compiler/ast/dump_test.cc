// Facts and tests as text.
#include "compiler/ast/dump.h"

#include "compiler/ast/dump_writer.h"

namespace dpl::ast {
namespace {

void Fields(std::string_view head, const std::vector<FieldInit>& fields, DumpWriter* w) {
  if (fields.empty()) return;
  w->Open(head);
  for (const FieldInit& field : fields) w->Open(field.name.text).Word(Dump(*field.value)).Close();
  w->Close();
}

void OneText(std::string_view head, const StringLit& s, DumpWriter* w) {
  if (s.present) w->Open(head).Text(s.value).Close();
}

void OneWord(std::string_view head, std::string_view word, DumpWriter* w) {
  if (!word.empty()) w->Open(head).Word(word).Close();
}

void DumpHop(const AgentHop& hop, DumpWriter* w) {
  w->Open("agent").Word(hop.name.text);
  if (hop.instance.present) w->Text(hop.instance.value);
  w->Close();
}

void DumpOutcome(const Outcome& outcome, DumpWriter* w) {
  constexpr std::string_view kNames[] = {"permit", "deny", "ask", "variable"};
  w->Open(kNames[static_cast<size_t>(outcome.kind)]);
  w->Word(outcome.code.text).Word(outcome.approval.text).Word(outcome.variable.text);
  for (const QName& by : outcome.by) w->Open("by").Word(by.text).Close();
  OneWord("bound-by", outcome.bound_by.text, w);
  for (const Duty& duty : outcome.must) DumpDuty(duty, w);
  w->Close();
}

void DumpAttempt(const Attempt& attempt, DumpWriter* w) {
  if (attempt.is_public) w->Open("public").Close();
  for (const AgentHop& hop : attempt.hops) DumpHop(hop, w);
  for (const StringLit& agent : attempt.foreign) w->Open("partner-agent").Text(agent.value).Close();
  OneText("deputy", attempt.deputy, w);
  if (!attempt.partner.empty()) {
    w->Open("partner").Word(attempt.partner.text).Text(attempt.partner_subject.value).Close();
  }
  if (!attempt.account.empty()) {
    w->Open("account").Text(attempt.person.value).Word(attempt.account.text).Close();
  } else {
    OneText("person", attempt.person, w);
  }
  OneWord("task", attempt.task.text, w);
  w->Open("does").Word(attempt.action.text);
  Fields("args", attempt.args, w);
  w->Close();
  w->Open("on").Word(attempt.type.text).Text(attempt.id.value).Close();
  if (!attempt.break_glass.empty()) {
    w->Open("break-glass").Word(attempt.break_glass.text);
    Fields("args", attempt.break_glass_args, w);
    w->Close();
  }
  if (attempt.with_approval_last) w->Open("approval-last").Close();
  if (attempt.says_duties) {
    w->Open("duties");
    for (Duty::Kind kind : attempt.duties) w->Word(DutyName(kind));
    w->Close();
  }
  OneText("key", attempt.key, w);
  Fields("context", attempt.context, w);
  Fields("properties", attempt.properties, w);
}

void DumpStep(const Step& step, DumpWriter* w) {
  constexpr std::string_view kNames[] = {"at",     "advance", "given",  "revoke",  "repeat", "when",
                                         "expect", "confirm", "cancel", "approve", "hand"};
  w->Open(kNames[static_cast<size_t>(step.kind)]);
  w->Word(step.literal.text);
  switch (step.kind) {
    case Step::Kind::kGiven:
      for (const Datum& datum : step.given) DumpDatum(datum, w);
      break;
    case Step::Kind::kRevoke: {
      constexpr std::string_view kKinds[] = {"person",      "agent",      "instance", "task",
                                             "grant",       "delegation", "account",  "approval",
                                             "break_glass", "partner"};
      w->Word(kKinds[static_cast<size_t>(step.revoke.kind)]).Word(step.revoke.name.text);
      if (step.revoke.id.present) w->Text(step.revoke.id.value);
      break;
    }
    case Step::Kind::kRepeat:
      for (const Step& inner : step.body) DumpStep(inner, w);
      break;
    case Step::Kind::kWhen:
      DumpAttempt(step.when, w);
      break;
    case Step::Kind::kExpect:
      DumpOutcome(step.expect, w);
      break;
    case Step::Kind::kConfirm:
      if (step.actual) DumpQuantity(*step.actual, w);
      break;
    case Step::Kind::kApprove:
      OneText("by", step.person, w);
      break;
    case Step::Kind::kHand:
      if (step.hand_person.present) {
        OneText("person", step.hand_person, w);
      } else {
        DumpHop(step.hand_from, w);
      }
      DumpHop(step.hand_to, w);
      break;
    default:
      break;
  }
  w->Close();
}

}  // namespace

void DumpDatum(const Datum& datum, DumpWriter* w) {
  constexpr std::string_view kNames[] = {"person", "members", "account", "entity",
                                         "task",   "consent", "used"};
  w->Open(kNames[static_cast<size_t>(datum.kind)]);
  if (datum.is_role) w->Word("role");
  w->Word(datum.task_name.text).Word(datum.name.text);
  if (datum.id.present) w->Text(datum.id.value);
  if (!datum.scope_type.empty())
    w->Open("in").Word(datum.scope_type.text).Text(datum.scope_id.value).Close();
  if (!datum.parent_type.empty())
    w->Open("in").Word(datum.parent_type.text).Text(datum.parent_id.value).Close();
  if (datum.quantity) DumpQuantity(*datum.quantity, w);
  for (const Datum::Member& member : datum.members) {
    w->Open("has");
    if (member.is_team) {
      w->Word("team " + member.team.text);
    } else {
      w->Word("person").Text(member.person.value);
    }
    w->Close();
  }
  OneWord("until", datum.until.text, w);
  OneText("person", datum.person, w);
  OneWord("on", datum.date.text, w);
  OneWord("agent", datum.agent.text, w);
  OneText("deputy", datum.by_person, w);
  OneWord("expires", datum.expires.text, w);
  Fields("args", datum.args, w);
  if (datum.has_fields) w->Open("fields").Close();
  Fields("values", datum.fields, w);
  w->Close();
}

void DumpTest(const TestDecl& test, DumpWriter* w) {
  w->Text(test.title.value);
  if (!test.columns.empty()) {
    w->Open("columns");
    for (const Name& column : test.columns) w->Word(column.text);
    w->Close();
  }
  for (const Row& row : test.rows) {
    w->Open("row");
    for (const Cell& cell : row.cells) {
      if (cell.outcome) {
        DumpOutcome(*cell.outcome, w);
      } else {
        w->Word(Dump(*cell.expr));
      }
    }
    w->Close();
  }
  for (const Step& step : test.steps) DumpStep(step, w);
}

}  // namespace dpl::ast
