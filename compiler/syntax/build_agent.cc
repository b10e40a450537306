// Statements about agents and the people who decide: agent, delegation, task, approval, partner.
#include <utility>

#include "compiler/syntax/build.h"

namespace dpl::syntax {

void Builder::Build(P::AgentDeclContext* node) {
  auto decl = Begin<ast::AgentDecl>(node, node->name());
  for (P::AgentClauseContext* clause : node->agentClause()) {
    Span span = Of(clause);
    if (auto* accountable = dynamic_cast<P::AccountableClauseContext*>(clause)) {
      if (!Once("accountable", span)) continue;
      decl->accountable = StringOf(accountable->STRING());
      if (accountable->qname() != nullptr) decl->accountable_else = QNameOf(accountable->qname());
    } else if (auto* purpose = dynamic_cast<P::PurposeClauseContext*>(clause)) {
      if (Once("purpose", span)) decl->purpose = StringOf(purpose->STRING());
    } else if (auto* runs = dynamic_cast<P::RunsAsClauseContext*>(clause)) {
      if (!Once("runs as", span)) continue;
      decl->runs_as_kind = NameOf(runs->name());
      decl->runs_as = StringsOf(runs->STRING());
      if (runs->DURATION() != nullptr) decl->attested_within = LiteralOf(runs->DURATION());
    } else if (auto* modes = dynamic_cast<P::ModesClauseContext*>(clause)) {
      if (!Once("modes", span)) continue;
      for (P::AgentModeContext* mode : modes->agentMode()) decl->modes.push_back(ModeOf(mode));
    } else if (auto* may = dynamic_cast<P::AgentMayClauseContext*>(clause)) {
      decl->may.push_back(MayOf(may->mayClause()));
    } else if (auto* limit = dynamic_cast<P::AgentLimitClauseContext*>(clause)) {
      decl->limits.push_back(LimitOf(limit->limitClause()));
    } else if (auto* lives = dynamic_cast<P::LivesClauseContext*>(clause)) {
      if (Once("lives at most", span)) decl->lives = LiteralOf(lives->DURATION());
    } else if (auto* instances = dynamic_cast<P::InstancesClauseContext*>(clause)) {
      if (!Once("instances at most", span)) continue;
      decl->instances = LiteralOf(instances->NUMBER());
      if (instances->DURATION() != nullptr)
        decl->instances_window = LiteralOf(instances->DURATION());
    } else if (dynamic_cast<P::AgentTrustingClauseContext*>(clause) != nullptr) {
      decl->trusting_request = Once("trusting request", span) || decl->trusting_request;
    } else if (auto* meta = dynamic_cast<P::AgentMetaClauseContext*>(clause)) {
      AddMeta(meta->metaClause(), &decl->meta);
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::DelegationDeclContext* node) {
  using Consent = ast::DelegationDecl::Consent;
  auto decl = Begin<ast::DelegationDecl>(node, node->name());
  for (P::DelegationClauseContext* clause : node->delegationClause()) {
    Span span = Of(clause);
    if (auto* from = dynamic_cast<P::FromClauseContext*>(clause)) {
      if (Once("from", span)) decl->from = SubjectsOf(from->subjects());
    } else if (auto* to = dynamic_cast<P::ReceiverClauseContext*>(clause)) {
      if (Once("to", span)) decl->to = SubjectsOf(to->subjects());
    } else if (auto* mode = dynamic_cast<P::ModeClauseContext*>(clause)) {
      if (Once("mode", span)) decl->mode = ModeOf(mode->agentMode());
    } else if (auto* may = dynamic_cast<P::DelegationMayClauseContext*>(clause)) {
      decl->may.push_back(MayOf(may->mayClause()));
    } else if (auto* limit = dynamic_cast<P::DelegationLimitClauseContext*>(clause)) {
      decl->limits.push_back(LimitOf(limit->limitClause()));
    } else if (auto* only = dynamic_cast<P::OnlyInClauseContext*>(clause)) {
      if (Once("only in task", span)) decl->only_in_tasks = QNamesOf(only->qname());
    } else if (auto* onward = dynamic_cast<P::OnwardClauseContext*>(clause)) {
      if (!Once("onward", span)) continue;
      decl->onward_to = QNamesOf(onward->qname());
      decl->onward_hops = LiteralOf(onward->NUMBER());
      decl->onward_span = span;
    } else if (auto* consent = dynamic_cast<P::ConsentClauseContext*>(clause)) {
      if (!Once("consent", span)) continue;
      decl->consent_span = span;
      if (consent->DURATION() != nullptr) {
        decl->consent = Consent::kEvery;
        decl->consent_every = LiteralOf(consent->DURATION());
      } else {
        decl->consent = consent->EACH() != nullptr ? Consent::kEachTask : Consent::kByPolicy;
      }
    } else if (auto* lasts = dynamic_cast<P::DelegationLastsClauseContext*>(clause)) {
      if (Once("lasts at most", span)) decl->lasts = LiteralOf(lasts->DURATION());
    } else if (dynamic_cast<P::DelegationTrustingClauseContext*>(clause) != nullptr) {
      decl->trusting_request = Once("trusting request", span) || decl->trusting_request;
    } else if (auto* meta = dynamic_cast<P::DelegationMetaClauseContext*>(clause)) {
      AddMeta(meta->metaClause(), &decl->meta);
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::TaskDeclContext* node) {
  auto decl = Begin<ast::TaskDecl>(node, node->name());
  decl->params = ParamsOf(node->params());
  for (P::TaskClauseContext* clause : node->taskClause()) {
    Span span = Of(clause);
    if (auto* agents = dynamic_cast<P::ForAgentClauseContext*>(clause)) {
      if (Once("for agent", span)) decl->for_agents = QNamesOf(agents->qname());
    } else if (auto* may = dynamic_cast<P::TaskMayClauseContext*>(clause)) {
      decl->may.push_back(MayOf(may->mayClause()));
    } else if (auto* limit = dynamic_cast<P::TaskLimitClauseContext*>(clause)) {
      decl->limits.push_back(LimitOf(limit->limitClause()));
    } else if (auto* lasts = dynamic_cast<P::TaskLastsClauseContext*>(clause)) {
      if (Once("lasts at most", span)) decl->lasts = LiteralOf(lasts->DURATION());
    } else if (dynamic_cast<P::NothingElseClauseContext*>(clause) != nullptr) {
      decl->nothing_else = Once("nothing else", span) || decl->nothing_else;
    } else if (auto* meta = dynamic_cast<P::TaskMetaClauseContext*>(clause)) {
      AddMeta(meta->metaClause(), &decl->meta);
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::ApprovalDeclContext* node) {
  auto decl = Begin<ast::ApprovalDecl>(node, node->name());
  for (P::ApprovalClauseContext* clause : node->approvalClause()) {
    Span span = Of(clause);
    if (auto* by = dynamic_cast<P::ByClauseContext*>(clause)) {
      ast::ApprovalDecl::By built;
      built.span = span;
      built.count = LiteralOf(by->NUMBER());
      for (P::ApproverContext* approver : by->approver()) {
        if (approver->party() != nullptr) {
          built.parties.push_back(PartyOf(approver->party()));
        } else {
          built.subjects.push_back(SubjectOf(approver->subject()));
        }
      }
      decl->by.push_back(std::move(built));
    } else if (auto* never = dynamic_cast<P::NeverByClauseContext*>(clause)) {
      if (!Once("never by", span)) continue;
      for (P::PartyContext* party : never->party()) decl->never_by.push_back(PartyOf(party));
    } else if (auto* within = dynamic_cast<P::WithinClauseContext*>(clause)) {
      if (Once("within", span)) decl->within = LiteralOf(within->DURATION());
    } else if (auto* good = dynamic_cast<P::GoodForClauseContext*>(clause)) {
      if (!Once("good for", span)) continue;
      decl->good_for = LiteralOf(good->NUMBER());
      decl->good_within = LiteralOf(good->DURATION());
    } else if (auto* signs = dynamic_cast<P::SignsClauseContext*>(clause)) {
      if (Once("signs", span)) decl->signs = StringOf(signs->STRING());
    } else if (auto* meta = dynamic_cast<P::ApprovalMetaClauseContext*>(clause)) {
      AddMeta(meta->metaClause(), &decl->meta);
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::PartnerDeclContext* node) {
  auto decl = Begin<ast::PartnerDecl>(node, node->name());
  for (P::PartnerClauseContext* clause : node->partnerClause()) {
    Span span = Of(clause);
    if (auto* issuer = dynamic_cast<P::IssuerClauseContext*>(clause)) {
      if (Once("issuer", span)) decl->issuer = StringOf(issuer->STRING());
    } else if (auto* accepts = dynamic_cast<P::AcceptsClauseContext*>(clause)) {
      (accepts->AGENTS() != nullptr ? decl->accepts_agents : decl->accepts_persons) = true;
    } else if (auto* hops = dynamic_cast<P::HopsClauseContext*>(clause)) {
      if (Once("at most", span)) decl->hops = LiteralOf(hops->NUMBER());
    } else if (auto* may = dynamic_cast<P::PartnerMayClauseContext*>(clause)) {
      decl->may.push_back(MayOf(may->mayClause()));
    } else if (auto* limit = dynamic_cast<P::PartnerLimitClauseContext*>(clause)) {
      decl->limits.push_back(LimitOf(limit->limitClause()));
    } else if (auto* meta = dynamic_cast<P::PartnerMetaClauseContext*>(clause)) {
      AddMeta(meta->metaClause(), &decl->meta);
    }
  }
  Finish(std::move(decl));
}

}  // namespace dpl::syntax
