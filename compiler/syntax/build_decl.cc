// The file's head, vocabulary and organisation.
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "compiler/syntax/build.h"
#include "runtime/base/result.h"

namespace dpl::syntax {
namespace {

uint8_t DayNumber(std::string_view name) {
  constexpr std::string_view kDays = "montuewedthufrisatsun";
  return static_cast<uint8_t>(kDays.find(name) / 3);
}

}  // namespace

void Builder::PackageLine(P::PackageLineContext* node) {
  file_->package = QNameOf(node->qname(0));
  file_->package_span = Of(node);
  if (node->OWNED() == nullptr) return;
  file_->owner.present = true;
  file_->owner.is_team = true;
  file_->owner.team = QNameOf(node->qname(1));
  file_->owner.span = Between(node->TEAM()->getSymbol(), node->stop);
}

void Builder::HeadLine(P::HeadLineContext* node) {
  Span span = Of(node);
  seen_.swap(seen_lines_);  // settings may stand once in a file, not once in a declaration
  if (auto* import = node->importLine()) {
    ast::Import built{QNameOf(import->qname()), {}, span};
    if (import->name() != nullptr) built.alias = NameOf(import->name());
    file_->imports.push_back(std::move(built));
  } else if (auto* timezone = node->timezoneLine()) {
    if (Once("timezone", span)) file_->timezone = StringOf(timezone->STRING());
  } else if (auto* granted = node->grantedLine()) {
    if (Once("granted", span)) file_->granted = LiteralOf(granted->DATE());
  } else if (auto* review = node->reviewLine()) {
    if (Once("review every", span)) file_->review_every = LiteralOf(review->DURATION());
  } else if (auto* needs = node->requiresLine()) {
    if (Once("requires", span)) {
      for (P::NameContext* name : needs->name()) file_->requires_clauses.push_back(NameOf(name));
    }
  }
  seen_.swap(seen_lines_);
}

void Builder::Declaration(P::DeclarationContext* node, std::string doc, bool incomplete) {
  doc_ = std::move(doc);
  incomplete_ = incomplete;
  seen_.clear();
  // By the rule's number: asking the node for each of its possible children walks them each time.
  auto* child = static_cast<Node*>(node->children[0]);
  switch (child->getRuleIndex()) {
    case P::RuleConstDecl:
      return Build(static_cast<P::ConstDeclContext*>(child));
    case P::RuleEnumDecl:
      return Build(static_cast<P::EnumDeclContext*>(child));
    case P::RuleFunctionDecl:
      return Build(static_cast<P::FunctionDeclContext*>(child));
    case P::RuleCalendarDecl:
      return Build(static_cast<P::CalendarDeclContext*>(child));
    case P::RulePersonDecl:
      return Build(static_cast<P::PersonDeclContext*>(child));
    case P::RuleTeamDecl:
      return Build(static_cast<P::TeamDeclContext*>(child));
    case P::RuleRoleDecl:
      return Build(static_cast<P::RoleDeclContext*>(child));
    case P::RuleContextDecl:
      return Build(static_cast<P::ContextDeclContext*>(child));
    case P::RuleSystemDecl:
      return Build(static_cast<P::SystemDeclContext*>(child));
    case P::RuleResourceDecl:
      return Build(static_cast<P::ResourceDeclContext*>(child));
    case P::RuleActivityDecl:
      return Build(static_cast<P::ActivityDeclContext*>(child));
    case P::RuleOwnerDecl:
      return Build(static_cast<P::OwnerDeclContext*>(child));
    case P::RuleGrantDecl:
      return Build(static_cast<P::GrantDeclContext*>(child));
    case P::RuleLimitDecl:
      return Build(static_cast<P::LimitDeclContext*>(child));
    case P::RuleForbidDecl:
      return Build(static_cast<P::ForbidDeclContext*>(child));
    case P::RuleAgentDecl:
      return Build(static_cast<P::AgentDeclContext*>(child));
    case P::RuleDelegationDecl:
      return Build(static_cast<P::DelegationDeclContext*>(child));
    case P::RuleTaskDecl:
      return Build(static_cast<P::TaskDeclContext*>(child));
    case P::RuleApprovalDecl:
      return Build(static_cast<P::ApprovalDeclContext*>(child));
    case P::RuleObligationDecl:
      return Build(static_cast<P::ObligationDeclContext*>(child));
    case P::RuleSeparateDecl:
      return Build(static_cast<P::SeparateDeclContext*>(child));
    case P::RuleBreakGlassDecl:
      return Build(static_cast<P::BreakGlassDeclContext*>(child));
    case P::RulePartnerDecl:
      return Build(static_cast<P::PartnerDeclContext*>(child));
    case P::RuleDataDecl:
      return Build(static_cast<P::DataDeclContext*>(child));
    case P::RuleTestDecl:
      return Build(static_cast<P::TestDeclContext*>(child));
    default:
      DPL_CHECK(!"a declaration that the grammar has and the builder does not");
  }
}

void Builder::Finish(std::unique_ptr<ast::Decl> decl) {
  decl->doc = std::move(doc_);
  decl->incomplete = incomplete_;
  if (incomplete_) file_->unread.push_back(decl->name.text);
  file_->decls.push_back(std::move(decl));
}

void Builder::Build(P::ConstDeclContext* node) {
  auto decl = Begin<ast::ConstDecl>(node, node->name());
  if (node->type() != nullptr) decl->type = TypeOf(node->type());
  decl->value = ExprOf(node->expr());
  Finish(std::move(decl));
}

void Builder::Build(P::EnumDeclContext* node) {
  auto decl = Begin<ast::EnumDecl>(node, node->name(0));
  for (size_t i = 1; i < node->name().size(); ++i) decl->members.push_back(NameOf(node->name(i)));
  decl->ordered = !node->LT().empty();
  if (decl->ordered && !node->COMMA().empty()) {
    sink_->ReportText(DPL0101, Of(node->COMMA(0)), "an enum is ordered throughout or not at all")
        .Label(Of(node->LT(0)), "`<` orders it here");
  }
  Finish(std::move(decl));
}

void Builder::Build(P::FunctionDeclContext* node) {
  auto decl = Begin<ast::FunctionDecl>(node, node->name());
  decl->params = ParamsOf(node->params());
  decl->result = TypeOf(node->type());
  decl->body = ExprOf(node->expr());
  Finish(std::move(decl));
}

void Builder::Build(P::CalendarDeclContext* node) {
  auto decl = Begin<ast::CalendarDecl>(node, node->name());
  for (P::CalendarClauseContext* clause : node->calendarClause()) {
    if (auto* zone = As<P::ZoneClauseContext>(clause)) {
      if (Once("zone", Of(clause))) decl->zone = StringOf(zone->STRING());
    } else if (auto* open = As<P::OpenClauseContext>(clause)) {
      ast::CalendarDecl::Open built;
      built.span = Of(clause);
      built.from_day = DayNumber(open->from->getText());
      built.to_day = open->to == nullptr ? built.from_day : DayNumber(open->to->getText());
      built.from = LiteralOf(open->begin);
      built.to = LiteralOf(open->end);
      decl->open.push_back(std::move(built));
    } else if (auto* closed = As<P::ClosedClauseContext>(clause)) {
      for (Leaf* date : closed->DATE()) decl->closed.push_back(LiteralOf(date));
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::PersonDeclContext* node) {
  auto decl = Begin<ast::PersonDecl>(node, nullptr);
  for (P::PersonClauseContext* clause : node->personClause()) {
    if (auto* key = clause->keyClause()) AddKey(key, &decl->key);
    if (auto* has = clause->hasClause()) decl->has.push_back(HasOf(has));
    if (auto* known = clause->knownAsClause(); known != nullptr && Once("known as", Of(known))) {
      decl->known_as = StringsOf(known->STRING());
    }
    if (auto* parent = clause->parentClause()) decl->within.push_back(ParentOf(parent));
    if (auto* source = clause->sourceClause(); source != nullptr && Once("source", Of(source))) {
      decl->source = StringOf(source->STRING());
      if (source->DURATION() != nullptr) decl->source_within = LiteralOf(source->DURATION());
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::TeamDeclContext* node) {
  auto decl = Begin<ast::TeamDecl>(node, node->name());
  for (P::TeamClauseContext* clause : node->teamClause()) {
    if (clause->metaClause() != nullptr) {
      AddMeta(clause->metaClause(), &decl->meta);
    } else {
      decl->within.push_back(QNameOf(clause->qname()));
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::RoleDeclContext* node) {
  auto decl = Begin<ast::RoleDecl>(node, node->name());
  decl->scopes = QNamesOf(node->qname());
  for (P::RoleClauseContext* clause : node->roleClause()) {
    if (clause->metaClause() != nullptr) {
      AddMeta(clause->metaClause(), &decl->meta);
    } else if (clause->WHERE() != nullptr) {
      if (Once("where", Of(clause))) decl->where = ExprOf(clause->expr());
    } else {
      for (P::QnameContext* role : clause->qname()) decl->includes.push_back(QNameOf(role));
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::ContextDeclContext* node) {
  auto decl = Begin<ast::ContextDecl>(node, nullptr);
  for (P::ContextClauseContext* clause : node->contextClause())
    decl->has.push_back(HasOf(clause->hasClause()));
  Finish(std::move(decl));
}

void Builder::Build(P::SystemDeclContext* node) {
  auto decl = Begin<ast::SystemDecl>(node, node->name());
  for (P::SystemClauseContext* clause : node->systemClause()) {
    if (auto* boundary = As<P::BoundaryClauseContext>(clause)) {
      if (Once("boundary", Of(clause))) decl->boundary = NameOf(boundary->name());
    } else if (auto* account = As<P::AccountClauseContext>(clause)) {
      if (!Once("account", Of(clause))) continue;
      decl->has_account = true;
      decl->account_key = NameOf(account->word());
      decl->account_type = TypeOf(account->type());
    } else if (auto* link = As<P::LinkClauseContext>(clause)) {
      if (!Once("link", Of(clause))) continue;
      decl->link_by = NameOf(link->word());
      decl->checked_within = LiteralOf(link->DURATION());
    } else if (auto* meta = As<P::SystemMetaClauseContext>(clause)) {
      AddMeta(meta->metaClause(), &decl->meta);
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::ResourceDeclContext* node) {
  auto decl = Begin<ast::ResourceDecl>(node, node->name());
  decl->system = QNameOf(node->qname());
  for (P::ResourceClauseContext* clause : node->resourceClause()) {
    if (auto* key = clause->keyClause()) AddKey(key, &decl->key);
    if (auto* has = clause->hasClause()) decl->has.push_back(HasOf(has));
    if (auto* known = clause->knownAsClause(); known != nullptr && Once("known as", Of(known))) {
      decl->known_as = StringsOf(known->STRING());
    }
    if (auto* parent = clause->parentClause(); parent != nullptr && Once("within", Of(parent))) {
      decl->within.push_back(ParentOf(parent));
    }
    if (auto* can = clause->canClause()) decl->can.push_back(CanOf(can));
    if (auto* meta = clause->metaClause()) AddMeta(meta, &decl->meta);
  }
  Finish(std::move(decl));
}

ast::CanClause Builder::CanOf(P::CanClauseContext* node) {
  ast::CanClause can;
  can.span = Of(node);
  for (P::ActionContext* action : node->action()) {
    can.actions.push_back({NameOf(action->word()), WireOf(action->wire())});
  }
  for (P::CanParamContext* param : node->canParam()) {
    ast::CanParam built;
    built.span = Of(param);
    built.name = NameOf(param->word());
    built.type = TypeOf(param->type());
    if (param->expr() != nullptr) built.default_value = ExprOf(param->expr());
    built.wire = WireOf(param->wire());
    built.must_be_limited = param->MUST() != nullptr;
    can.params.push_back(std::move(built));
  }
  can.makes = node->MAKES() != nullptr;
  can.activities = QNamesOf(node->qname());
  return can;
}

void Builder::Build(P::ActivityDeclContext* node) {
  auto decl = Begin<ast::ActivityDecl>(node, node->name());
  for (P::ActivityClauseContext* clause : node->activityClause()) {
    if (auto* measure = As<P::MeasureClauseContext>(clause)) {
      decl->measures.push_back({NameOf(measure->word()), TypeOf(measure->type()),
                                measure->MUST() != nullptr, Of(clause)});
    } else if (auto* agree = As<P::AgreeClauseContext>(clause)) {
      if (!Once("limits must agree", Of(clause))) continue;
      decl->limits_must_agree = true;
      decl->agree_span = Of(clause);
      if (agree->word() != nullptr) decl->agree_within = NameOf(agree->word());
    } else if (auto* meta = As<P::ActivityMetaClauseContext>(clause)) {
      AddMeta(meta->metaClause(), &decl->meta);
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::OwnerDeclContext* node) {
  auto decl = Begin<ast::OwnerDecl>(node, nullptr);
  decl->head_span = Between(
      node->start, node->STRING() != nullptr ? node->STRING()->getSymbol() : node->qname(0)->stop);
  decl->type = QNameOf(node->qname(0));
  if (node->STRING() != nullptr) {
    decl->subtree_type = QNameOf(node->qname(1));
    decl->subtree_id = StringOf(node->STRING());
  }
  for (P::OwnerClauseContext* clause : node->ownerClause()) {
    if (clause->metaClause() != nullptr) {
      AddMeta(clause->metaClause(), &decl->meta);
    } else if (Once("is", Of(clause))) {
      for (P::OwnerRefContext* owner : clause->ownerRef())
        decl->owners.push_back(OwnerRefOf(owner));
    }
  }
  Finish(std::move(decl));
}

}  // namespace dpl::syntax
