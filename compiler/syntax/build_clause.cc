// Clauses that several declarations share: who, what, how much, and the terms every statement
// carries.
#include "compiler/syntax/build.h"

namespace dpl::syntax {

void Builder::AddMeta(P::MetaClauseContext* node, ast::Meta* meta) {
  Span span = Of(node);
  if (auto* owner = As<P::OwnedClauseContext>(node)) {
    if (!Once("owner", span)) return;
    meta->owner = OwnerRefOf(owner->ownerRef());
    meta->owner_span = span;
  } else if (auto* because = As<P::BecauseClauseContext>(node)) {
    if (!Once("because", span)) return;
    meta->because = StringOf(because->STRING());
    meta->because_span = span;
  } else if (auto* ticket = As<P::TicketClauseContext>(node)) {
    if (!Once("ticket", span)) return;
    meta->ticket = StringOf(ticket->STRING());
    meta->ticket_span = span;
  } else if (auto* review = As<P::ReviewClauseContext>(node)) {
    if (!Once("review every", span)) return;
    meta->review_every = LiteralOf(review->DURATION());
    meta->review_span = span;
  } else if (auto* expires = As<P::ExpiresClauseContext>(node)) {
    if (!Once("expires", span)) return;
    meta->expires = LiteralOf(expires->stop);
    meta->expires_span = span;
  }
}

void Builder::AddKey(P::KeyClauseContext* node, ast::KeyClause* key) {
  if (!Once("key", Of(node))) return;
  key->present = true;
  key->span = Of(node);
  key->name = NameOf(node->word());
  key->type = TypeOf(node->type());
  key->fold_ascii = !node->FOLD().empty();
  for (Leaf* pattern : node->STRING()) {
    if (Once("matches", Of(pattern))) key->matches = StringOf(pattern);
  }
}

ast::StringLit Builder::WireOf(P::WireContext* node) {
  return node == nullptr ? ast::StringLit() : StringOf(node->STRING());
}

ast::HasClause Builder::HasOf(P::HasClauseContext* node) {
  ast::HasClause has;
  has.span = Of(node);
  has.name = NameOf(node->word());
  has.type = TypeOf(node->type());
  if (node->expr() != nullptr) has.default_value = ExprOf(node->expr());
  has.from_request = node->REQUEST() != nullptr;
  has.wire = WireOf(node->wire());
  return has;
}

ast::ParentClause Builder::ParentOf(P::ParentClauseContext* node) {
  ast::ParentClause parent;
  parent.span = Of(node);
  if (node->word() != nullptr) parent.name = NameOf(node->word());
  parent.type = TypeOf(node->type());
  parent.from_request = node->REQUEST() != nullptr;
  parent.wire = WireOf(node->wire());
  return parent;
}

std::vector<ast::Subject> Builder::SubjectsOf(P::SubjectsContext* node) {
  std::vector<ast::Subject> subjects;
  for (P::SubjectContext* subject : node->subject()) subjects.push_back(SubjectOf(subject));
  return subjects;
}

ast::Subject Builder::SubjectOf(P::SubjectContext* node) {
  using Kind = ast::Subject::Kind;
  ast::Subject subject;
  subject.span = Of(node);
  if (node->qname() != nullptr) subject.name = QNameOf(node->qname());
  if (node->TEAM() != nullptr) {
    subject.kind = Kind::kTeam;
  } else if (node->ROLE() != nullptr) {
    subject.kind = Kind::kRole;
  } else if (node->PERSON() != nullptr) {
    subject.kind = Kind::kPerson;
    subject.id = StringOf(node->STRING());
  } else if (node->ANY() != nullptr) {
    subject.kind = Kind::kAnyAgent;
  } else if (node->AGENT() != nullptr) {
    subject.kind = Kind::kAgent;
  } else if (node->PARTNER() != nullptr) {
    subject.kind = Kind::kPartner;
  } else {
    subject.kind = node->PUBLIC() != nullptr ? Kind::kPublic : Kind::kEveryone;
  }
  return subject;
}

ast::MayClause Builder::MayOf(P::MayClauseContext* node) {
  ast::MayClause may = ReachOf(node->reach());
  may.span = Of(node);
  if (node->ASK() != nullptr) may.ask = QNameOf(node->qname());
  return may;
}

ast::MayClause Builder::ReachOf(P::ReachContext* node) {
  ast::MayClause may;
  may.span = Of(node);
  if (node->selector() == nullptr) {
    may.activities = QNamesOf(node->qname());
    return may;
  }
  SetActions(node->actions(), &may);
  may.on = SelectorOf(node->selector());
  return may;
}

void Builder::SetActions(P::ActionsContext* node, ast::MayClause* may) {
  may->any_action = node->ANY() != nullptr && node->word().empty();
  for (P::WordContext* action : node->word()) may->actions.push_back(NameOf(action));
}

ast::Selector Builder::SelectorOf(P::SelectorContext* node) {
  ast::Selector selector;
  selector.span = Of(node);
  if (node->EVERYTHING() != nullptr) {
    selector.everything_in = true;
    selector.system = QNameOf(node->qname(0));
  } else {
    selector.types = QNamesOf(node->qname());
    if (node->STRING() != nullptr) selector.id = StringOf(node->STRING());
    if (node->containers() != nullptr) {
      for (P::ContainerContext* container : node->containers()->container()) {
        selector.containers.push_back(ContainerOf(container));
      }
    }
  }
  if (node->WHERE() != nullptr) {
    selector.where = ExprOf(node->expr());
    selector.where_span = Between(node->WHERE()->getSymbol(), node->stop);
  }
  return selector;
}

ast::Container Builder::ContainerOf(P::ContainerContext* node) {
  using Kind = ast::Container::Kind;
  ast::Container container;
  container.span = Of(node);
  if (node->STRING() != nullptr) container.id = StringOf(node->STRING());
  if (node->qname() != nullptr) {
    container.kind = Kind::kEntity;
    container.type = QNameOf(node->qname());
  } else if (node->name() != nullptr) {
    container.kind = Kind::kName;
    container.name = NameOf(node->name());
  } else {
    container.kind = Kind::kString;
  }
  return container;
}

ast::CoversClause Builder::CoversOf(P::CoversClauseContext* node) {
  ast::CoversClause covers;
  covers.what = ReachOf(node->reach());
  covers.span = Of(node);
  return covers;
}

ast::LimitClause Builder::LimitOf(P::LimitClauseContext* node) {
  if (node->limitTerms() != nullptr) {
    ast::LimitClause limit = LimitTermsOf(node->limitTerms());
    limit.span = Of(node);
    return limit;
  }
  ast::LimitClause limit;
  limit.span = Of(node);
  limit.no_limit = true;
  limit.measure = NameOf(node->word());
  limit.no_limit_because = StringOf(node->STRING());
  return limit;
}

ast::LimitClause Builder::LimitTermsOf(P::LimitTermsContext* node) {
  ast::LimitClause limit;
  limit.span = Of(node);
  limit.measure = NameOf(node->word());
  limit.quantity = QuantityOf(node->quantity());
  P::PeriodContext* period = node->period();
  switch (period->stop->getType()) {
    case P::EACH:
      limit.period = ast::PeriodKind::kEach;
      break;
    case P::HOUR:
      limit.period = ast::PeriodKind::kHour;
      break;
    case P::DAY:
      limit.period = ast::PeriodKind::kDay;
      break;
    case P::WEEK:
      limit.period = ast::PeriodKind::kWeek;
      break;
    case P::MONTH:
      limit.period = ast::PeriodKind::kMonth;
      break;
    case P::QUARTER:
      limit.period = ast::PeriodKind::kQuarter;
      break;
    case P::YEAR:
      limit.period = ast::PeriodKind::kYear;
      break;
    case P::TOTAL:
      limit.period = ast::PeriodKind::kTotal;
      break;
    default:
      limit.period = ast::PeriodKind::kSliding;
      limit.window = LiteralOf(period->DURATION());
      break;
  }
  for (P::PathContext* path : node->path()) {
    ast::LimitClause::Key key;
    key.span = Of(path);
    key.path = {path->name()->start->getText(), key.span};
    for (P::WordContext* part : path->word()) key.path.text += "." + part->start->getText();
    limit.keys.push_back(std::move(key));
  }
  for (P::TierContext* tier : node->tier()) {
    ast::AskTier built;
    built.span = Of(tier);
    built.approval = QNameOf(tier->qname());
    if (tier->quantity() != nullptr) built.up_to = QuantityOf(tier->quantity());
    limit.tiers.push_back(std::move(built));
  }
  if (node->name() != nullptr) limit.was = NameOf(node->name());
  return limit;
}

ast::Quantity Builder::QuantityOf(P::QuantityContext* node) {
  ast::Quantity quantity;
  quantity.span = Of(node);
  if (node->path() != nullptr) {
    quantity.kind = ast::Quantity::Kind::kExpr;
    quantity.expr = PathOf(node->path());
    return quantity;
  }
  quantity.number = node->NUMBER()->getText();
  if (node->CURRENCY() != nullptr) {
    quantity.kind = ast::Quantity::Kind::kMoney;
    quantity.currency = node->CURRENCY()->getText();
  }
  return quantity;
}

ast::ModeRef Builder::ModeOf(P::AgentModeContext* node) {
  ast::Mode mode = node->IMPERSONATE() != nullptr ? ast::Mode::kImpersonate
                   : node->STANDING() != nullptr  ? ast::Mode::kStanding
                                                  : ast::Mode::kOnBehalfOf;
  return {mode, Of(node)};
}

ast::Duty Builder::DutyOf(P::DutyContext* node) {
  using Kind = ast::Duty::Kind;
  ast::Duty duty;
  duty.span = Of(node);
  if (node->STRING() != nullptr) duty.text = StringOf(node->STRING());
  if (node->STEP_UP() != nullptr) {
    duty.kind = Kind::kStepUp;
  } else if (node->SIGN() != nullptr) {
    duty.kind = Kind::kSign;
  } else if (node->MASK() != nullptr) {
    duty.kind = Kind::kMask;
    for (P::WordContext* word : node->word()) duty.names.push_back(NameOf(word));
  } else if (node->NOTIFY() != nullptr) {
    duty.kind = Kind::kNotify;
    duty.who = OwnerRefOf(node->ownerRef());
  } else if (node->ASK() != nullptr) {
    duty.kind = Kind::kAsk;
    duty.ask = QNameOf(node->qname());
  }
  return duty;
}

ast::Party Builder::PartyOf(P::PartyContext* node) {
  switch (node->stop->getType()) {
    case P::AGENT:
      return ast::Party::kAgent;
    case P::ACCOUNTABLE:
      return ast::Party::kAccountable;
    case P::MANAGER:
      return ast::Party::kManager;
    default:
      return ast::Party::kPerson;
  }
}

}  // namespace dpl::syntax
