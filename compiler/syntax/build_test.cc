// Facts and tests.
#include "compiler/syntax/build.h"

#include <utility>

namespace dpl::syntax {

ast::FieldInit Builder::FieldOf(P::FieldInitContext* node) {
  return {NameOf(node->word()), ExprOf(node->expr()), Of(node)};
}

std::vector<ast::FieldInit> Builder::FieldsOf(const std::vector<P::FieldInitContext*>& nodes) {
  std::vector<ast::FieldInit> fields;
  for (P::FieldInitContext* node : nodes) fields.push_back(FieldOf(node));
  return fields;
}

namespace {

// docs.Document "a1"
ast::QName EntityType(DplParser::EntityContext* node, const Span& span) {
  ast::QName name{node->name()->start->getText(), span};
  for (auto* part : node->word()) name.text += "." + part->start->getText();
  return name;
}

}  // namespace

ast::Datum Builder::DatumOf(P::DatumContext* node) {
  using Kind = ast::Datum::Kind;
  ast::Datum datum;
  datum.span = Of(node);
  auto entity_type = [&](P::EntityContext* entity) {
    return EntityType(entity, Between(entity->start, entity->word().back()->stop));
  };
  auto set_fields = [&](P::FieldsContext* fields) {
    datum.has_fields = fields != nullptr;
    if (fields != nullptr) datum.fields = FieldsOf(fields->fieldInit());
  };
  if (auto* person = dynamic_cast<P::PersonDatumContext*>(node)) {
    datum.kind = Kind::kPerson;
    datum.id = StringOf(person->STRING());
    set_fields(person->fields());
  } else if (auto* members = dynamic_cast<P::MemberDatumContext*>(node)) {
    datum.kind = Kind::kMembers;
    datum.is_role = members->ROLE() != nullptr;
    datum.name = QNameOf(members->qname());
    if (members->entity() != nullptr) {
      datum.scope_type = entity_type(members->entity());
      datum.scope_id = StringOf(members->entity()->STRING());
    }
    for (P::MemberContext* member : members->member()) {
      ast::Datum::Member built;
      built.span = Of(member);
      built.is_team = member->TEAM() != nullptr;
      if (built.is_team) {
        built.team = QNameOf(member->qname());
      } else {
        built.person = StringOf(member->STRING());
      }
      datum.members.push_back(std::move(built));
    }
    if (members->UNTIL() != nullptr) datum.until = LiteralOf(members->stop);
  } else if (auto* account = dynamic_cast<P::AccountDatumContext*>(node)) {
    datum.kind = Kind::kAccount;
    datum.id = StringOf(account->STRING(0));
    datum.name = QNameOf(account->qname());
    datum.person = StringOf(account->STRING(1));
    datum.date = LiteralOf(account->DATE());
  } else if (auto* thing = dynamic_cast<P::EntityDatumContext*>(node)) {
    datum.kind = Kind::kEntity;
    datum.name = entity_type(thing->entity(0));
    datum.id = StringOf(thing->entity(0)->STRING());
    if (thing->entity().size() > 1) {
      datum.parent_type = entity_type(thing->entity(1));
      datum.parent_id = StringOf(thing->entity(1)->STRING());
    }
    set_fields(thing->fields());
  } else if (auto* task = dynamic_cast<P::TaskDatumContext*>(node)) {
    datum.kind = Kind::kTask;
    datum.task_name = NameOf(task->name());
    datum.name = QNameOf(task->qname(0));
    datum.args = FieldsOf(task->args()->fieldInit());
    if (task->personRef() != nullptr) {
      datum.by_person = StringOf(task->personRef()->STRING());
    } else {
      datum.agent = QNameOf(task->qname(1));
    }
    datum.person = StringOf(task->STRING());
    if (task->DATETIME() != nullptr) datum.expires = LiteralOf(task->DATETIME());
  } else if (auto* consent = dynamic_cast<P::ConsentDatumContext*>(node)) {
    datum.kind = Kind::kConsent;
    datum.name = QNameOf(consent->qname());
    datum.person = StringOf(consent->STRING());
    datum.date = LiteralOf(consent->DATE());
  } else if (auto* used = dynamic_cast<P::UsedDatumContext*>(node)) {
    datum.kind = Kind::kUsed;
    datum.name = QNameOf(used->qname());
    datum.quantity = QuantityOf(used->quantity());
    if (used->STRING() != nullptr) datum.person = StringOf(used->STRING());
  }
  return datum;
}

void Builder::Build(P::DataDeclContext* node) {
  auto decl = Begin<ast::DataDecl>(node, nullptr);
  for (P::DatumContext* datum : node->datum()) decl->data.push_back(DatumOf(datum));
  Finish(std::move(decl));
}

void Builder::Build(P::TestDeclContext* node) {
  auto decl = Begin<ast::TestDecl>(node, nullptr);
  decl->title = StringOf(node->STRING());
  decl->head_span = Between(node->start, node->STRING()->getSymbol());
  for (P::StepContext* step : node->step()) {
    if (auto* with = dynamic_cast<P::WithStepContext*>(step)) {
      if (!Once("with", Of(step))) continue;
      decl->with_span = Of(step);
      for (P::NameContext* column : with->name()) decl->columns.push_back(NameOf(column));
      for (P::RowContext* row : with->row()) decl->rows.push_back(RowOf(row));
    } else {
      decl->steps.push_back(StepOf(step, decl.get()));
    }
  }
  Finish(std::move(decl));
}

ast::Row Builder::RowOf(P::RowContext* node) {
  ast::Row row;
  row.span = Of(node);
  for (P::CellContext* cell : node->cell()) {
    ast::Cell built;
    built.span = Of(cell);
    if (cell->ruling() != nullptr) {
      ast::Outcome outcome = RulingOf(cell->ruling());
      outcome.span = built.span;
      if (cell->qname().size() > (cell->BOUND() != nullptr ? 1u : 0u))
        outcome.by.push_back(QNameOf(cell->qname(0)));
      if (cell->BOUND() != nullptr) outcome.bound_by = QNameOf(cell->qname().back());
      built.outcome = std::move(outcome);
    } else {
      built.expr = ExprOf(cell->expr());
    }
    row.cells.push_back(std::move(built));
  }
  return row;
}

ast::Step Builder::StepOf(P::StepContext* node, ast::TestDecl* test) {
  using Kind = ast::Step::Kind;
  ast::Step step;
  step.span = Of(node);
  if (auto* at = dynamic_cast<P::AtStepContext*>(node)) {
    step.kind = Kind::kAt;
    step.literal = LiteralOf(at->stop);
    step.literal_is_date = at->DATE() != nullptr;
  } else if (auto* advance = dynamic_cast<P::AdvanceStepContext*>(node)) {
    step.kind = Kind::kAdvance;
    step.literal = LiteralOf(advance->DURATION());
  } else if (auto* given = dynamic_cast<P::GivenStepContext*>(node)) {
    step.kind = Kind::kGiven;
    for (P::DatumContext* datum : given->datum()) step.given.push_back(DatumOf(datum));
  } else if (auto* revoke = dynamic_cast<P::RevokeStepContext*>(node)) {
    step.kind = Kind::kRevoke;
    step.revoke = RevocableOf(revoke->revocable());
  } else if (auto* repeat = dynamic_cast<P::RepeatStepContext*>(node)) {
    step.kind = Kind::kRepeat;
    step.literal = LiteralOf(repeat->NUMBER());
    for (P::StepContext* inner : repeat->step()) {
      if (dynamic_cast<P::WithStepContext*>(inner) != nullptr) {
        sink_->ReportText(DPL0102, Of(inner),
                          "`with` stands at the top of a test, not inside `repeat`");
        continue;
      }
      step.body.push_back(StepOf(inner, test));
    }
  } else if (auto* when = dynamic_cast<P::WhenStepContext*>(node)) {
    step.kind = Kind::kWhen;
    step.when = AttemptOf(when->attempt());
  } else if (auto* expect = dynamic_cast<P::ExpectStepContext*>(node)) {
    step.kind = Kind::kExpect;
    step.expect = OutcomeOf(expect->outcome());
  } else if (auto* confirm = dynamic_cast<P::ConfirmStepContext*>(node)) {
    step.kind = Kind::kConfirm;
    if (confirm->quantity() != nullptr) step.actual = QuantityOf(confirm->quantity());
  } else if (dynamic_cast<P::CancelStepContext*>(node) != nullptr) {
    step.kind = Kind::kCancel;
  } else if (auto* approve = dynamic_cast<P::ApproveStepContext*>(node)) {
    step.kind = Kind::kApprove;
    step.person = StringOf(approve->STRING());
  } else if (auto* hand = dynamic_cast<P::HandStepContext*>(node)) {
    step.kind = Kind::kHand;
    if (hand->personRef() != nullptr) {
      step.hand_person = StringOf(hand->personRef()->STRING());
      step.hand_to = HopOf(hand->hop(0));
    } else {
      step.hand_from = HopOf(hand->hop(0));
      step.hand_to = HopOf(hand->hop(1));
    }
  }
  return step;
}

ast::AgentHop Builder::HopOf(P::HopContext* node) {
  ast::AgentHop hop;
  hop.name = QNameOf(node->qname());
  if (node->STRING() != nullptr) hop.instance = StringOf(node->STRING());
  hop.span = Of(node);
  return hop;
}

namespace {
ast::Duty::Kind DutyKindOf(size_t token) {
  using P = DplParser;
  using Kind = ast::Duty::Kind;
  switch (token) {
    case P::STEP_UP:
      return Kind::kStepUp;
    case P::SIGN:
      return Kind::kSign;
    case P::MASK:
      return Kind::kMask;
    case P::NOTIFY:
      return Kind::kNotify;
    default:
      return Kind::kLog;
  }
}
}  // namespace

ast::Attempt Builder::AttemptOf(P::AttemptContext* node) {
  ast::Attempt attempt;
  attempt.span = Of(node);
  P::ActorContext* actor = node->actor();
  attempt.is_public = actor->PUBLIC() != nullptr;
  for (P::HopContext* hop : actor->hop()) attempt.hops.push_back(HopOf(hop));
  for (P::ForeignHopContext* hop : actor->foreignHop())
    attempt.foreign.push_back(StringOf(hop->STRING()));
  P::AskingContext* asking = actor->asking();
  if (asking != nullptr && asking->personRef() != nullptr) {
    attempt.person = StringOf(asking->personRef()->STRING());
  } else if (asking != nullptr) {
    attempt.person = StringOf(asking->STRING());
    attempt.account = QNameOf(asking->qname());
  }
  if (actor->personRef() != nullptr) {
    bool for_another = asking != nullptr || !attempt.hops.empty();
    (for_another ? attempt.deputy : attempt.person) = StringOf(actor->personRef()->STRING());
  }
  if (actor->ACCOUNT() != nullptr) {
    attempt.person = StringOf(actor->STRING());
    attempt.account = QNameOf(actor->qname());
  }
  if (actor->PARTNER() != nullptr) {
    attempt.partner = QNameOf(actor->qname());
    attempt.partner_subject = StringOf(actor->STRING());
  }
  if (actor->name() != nullptr) attempt.task = NameOf(actor->name());
  attempt.action = NameOf(node->word());
  if (node->args() != nullptr) attempt.args = FieldsOf(node->args()->fieldInit());
  attempt.type = QNameOf(node->qname());
  attempt.id = StringOf(node->STRING());
  for (P::AttemptDetailContext* detail : node->attemptDetail()) {
    if (detail->BREAK_GLASS() != nullptr) {
      attempt.break_glass = QNameOf(detail->qname());
      attempt.break_glass_args = FieldsOf(detail->args()->fieldInit());
    } else if (detail->DUTIES() != nullptr) {
      attempt.says_duties = true;
      for (P::DutyWordContext* duty : detail->dutyWord())
        attempt.duties.push_back(DutyKindOf(duty->start->getType()));
    } else if (detail->KEY() != nullptr) {
      attempt.key = StringOf(detail->STRING());
    } else if (detail->CONTEXT() != nullptr) {
      attempt.context = FieldsOf(detail->fields()->fieldInit());
    } else if (detail->PROPERTIES() != nullptr) {
      attempt.properties = FieldsOf(detail->fields()->fieldInit());
    } else {
      attempt.with_approval_last = true;
    }
  }
  return attempt;
}

ast::Duty Builder::ExpectedDutyOf(P::ExpectedDutyContext* node) {
  ast::Duty duty;
  duty.span = Of(node);
  duty.kind = DutyKindOf(node->start->getType());
  if (node->STRING() != nullptr) duty.text = StringOf(node->STRING());
  for (P::WordContext* word : node->word()) duty.names.push_back(NameOf(word));
  if (node->ownerRef() != nullptr) duty.who = OwnerRefOf(node->ownerRef());
  return duty;
}

ast::Outcome Builder::OutcomeOf(P::OutcomeContext* node) {
  if (node->verdict() != nullptr) return VerdictOf(node->verdict());
  ast::Outcome outcome;
  outcome.kind = ast::Outcome::Kind::kVariable;
  outcome.span = Of(node);
  outcome.variable = NameOf(node->name());
  return outcome;
}

ast::Outcome Builder::RulingOf(P::RulingContext* node) {
  using Kind = ast::Outcome::Kind;
  ast::Outcome outcome;
  outcome.span = Of(node);
  if (node->ASK() != nullptr) {
    outcome.kind = Kind::kAsk;
    outcome.approval = QNameOf(node->qname());
  } else if (node->DENY() != nullptr) {
    outcome.kind = Kind::kDeny;
    if (node->reasonCode() != nullptr) outcome.code = QNameOf(node->reasonCode());
  }
  return outcome;
}

ast::Outcome Builder::VerdictOf(P::VerdictContext* node) {
  ast::Outcome outcome = RulingOf(node->ruling());
  outcome.span = Of(node);
  size_t by = node->qname().size() -
              (node->BOUND() != nullptr ? 1 : 0);  // the last is the limit that bound
  for (size_t i = 0; i < by; ++i) outcome.by.push_back(QNameOf(node->qname(i)));
  if (node->BOUND() != nullptr) outcome.bound_by = QNameOf(node->qname(by));
  for (P::ExpectedDutyContext* duty : node->expectedDuty())
    outcome.must.push_back(ExpectedDutyOf(duty));
  return outcome;
}

ast::Revocable Builder::RevocableOf(P::RevocableContext* node) {
  using Kind = ast::Revocable::Kind;
  ast::Revocable revocable;
  revocable.span = Of(node);
  if (node->qname() != nullptr) revocable.name = QNameOf(node->qname());
  if (node->name() != nullptr) revocable.name = {node->name()->start->getText(), Of(node->name())};
  if (node->STRING() != nullptr) revocable.id = StringOf(node->STRING());
  switch (node->start->getType()) {
    case P::AGENT:
      revocable.kind = node->STRING() != nullptr ? Kind::kInstance : Kind::kAgent;
      break;
    case P::TASK:
      revocable.kind = Kind::kTask;
      break;
    case P::GRANT:
      revocable.kind = Kind::kGrant;
      break;
    case P::DELEGATION:
      revocable.kind = Kind::kDelegation;
      break;
    case P::ACCOUNT:
      revocable.kind = Kind::kAccount;
      break;
    case P::APPROVAL:
      revocable.kind = Kind::kApproval;
      break;
    case P::BREAK_GLASS:
      revocable.kind = Kind::kBreakGlass;
      break;
    case P::PARTNER:
      revocable.kind = Kind::kPartner;
      break;
    default:
      break;
  }
  return revocable;
}

}  // namespace dpl::syntax
