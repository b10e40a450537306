// Statements that give and take authority: grant, limit, forbid, obligation, separate, break_glass.
#include <utility>

#include "compiler/syntax/build.h"

namespace dpl::syntax {

void Builder::Build(P::GrantDeclContext* node) {
  auto decl = Begin<ast::GrantDecl>(node, node->name());
  for (P::GrantClauseContext* clause : node->grantClause()) {
    Span span = Of(clause);
    if (auto* to = As<P::ToClauseContext>(clause)) {
      ast::GrantRow row;
      row.to = SubjectsOf(to->subjects());
      row.span = span;
      decl->rows.push_back(std::move(row));
    } else if (auto* may = As<P::GrantMayClauseContext>(clause)) {
      if (decl->rows.empty()) {
        ast::GrantRow row;  // a `may` before any `to`: the row of nobody
        row.span = span;
        decl->rows.push_back(std::move(row));
        if (!incomplete_) {
          sink_->ReportText(DPL0104, span, "`may` stands before `to`")
              .Help("say first to whom: `to team t  may …`");
        }
      }
      decl->rows.back().may.push_back(MayOf(may->mayClause()));
    } else if (auto* limit = As<P::GrantLimitClauseContext>(clause)) {
      decl->limits.push_back(LimitOf(limit->limitClause()));
    } else if (auto* supersedes = As<P::SupersedesClauseContext>(clause)) {
      decl->supersedes.push_back(QNameOf(supersedes->qname()));
    } else if (auto* approved = As<P::ApprovedClauseContext>(clause)) {
      if (Once("approved by", span)) decl->approved_by = StringOf(approved->STRING());
    } else if (auto* granted = As<P::GrantedClauseContext>(clause)) {
      if (Once("granted", span)) decl->granted = LiteralOf(granted->DATE());
    } else if (auto* reviewed = As<P::ReviewedClauseContext>(clause)) {
      if (!Once("reviewed", span)) continue;
      decl->reviewed = LiteralOf(reviewed->DATE());
      decl->reviewed_by = StringOf(reviewed->STRING());
    } else if (auto* imported = As<P::ImportedClauseContext>(clause)) {
      if (Once("imported from", span)) decl->imported_from = StringOf(imported->STRING());
    } else if (As<P::GrantTrustingClauseContext>(clause) != nullptr) {
      decl->trusting_request = Once("trusting request", span) || decl->trusting_request;
    } else if (auto* meta = As<P::GrantMetaClauseContext>(clause)) {
      AddMeta(meta->metaClause(), &decl->meta);
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::LimitDeclContext* node) {
  auto decl = Begin<ast::LimitDecl>(node, node->name());
  for (P::LimitDeclClauseContext* clause : node->limitDeclClause()) {
    if (auto* applies = clause->appliesToClause()) {
      if (!Once("applies to", Of(clause))) continue;
      decl->has_applies_to = true;
      decl->applies_to = SubjectsOf(applies->subjects());
    } else if (auto* covers = clause->coversClause()) {
      decl->covers.push_back(CoversOf(covers));
    } else if (auto* meta = clause->metaClause()) {
      AddMeta(meta, &decl->meta);
    } else {
      ast::LimitClause cap = LimitTermsOf(clause->limitTerms());
      cap.span = Of(clause);
      decl->caps.push_back(std::move(cap));
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::ForbidDeclContext* node) {
  auto decl = Begin<ast::ForbidDecl>(node, node->name());
  for (P::ForbidClauseContext* clause : node->forbidClause()) {
    if (auto* applies = clause->appliesToClause()) {
      if (!Once("applies to", Of(clause))) continue;
      decl->has_applies_to = true;
      decl->applies_to = SubjectsOf(applies->subjects());
    } else if (auto* covers = clause->coversClause()) {
      decl->covers.push_back(CoversOf(covers));
    } else if (auto* meta = clause->metaClause()) {
      AddMeta(meta, &decl->meta);
    } else if (Once("unless", Of(clause))) {
      decl->unless = ExprOf(clause->expr());
      decl->unless_span = Of(clause);
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::ObligationDeclContext* node) {
  auto decl = Begin<ast::ObligationDecl>(node, node->name());
  for (P::ObligationClauseContext* clause : node->obligationClause()) {
    if (auto* applies = clause->appliesToClause()) {
      if (!Once("applies to", Of(clause))) continue;
      decl->has_applies_to = true;
      decl->applies_to = SubjectsOf(applies->subjects());
    } else if (auto* covers = clause->coversClause()) {
      decl->covers.push_back(CoversOf(covers));
    } else if (auto* meta = clause->metaClause()) {
      AddMeta(meta, &decl->meta);
    } else {
      ast::Duty duty = DutyOf(clause->duty());
      duty.span = Of(clause);
      decl->duties.push_back(std::move(duty));
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::SeparateDeclContext* node) {
  auto decl = Begin<ast::SeparateDecl>(node, node->name());
  for (P::SeparateClauseContext* clause : node->separateClause()) {
    if (auto* between = As<P::BetweenClauseContext>(clause)) {
      if (!Once("between", Of(clause))) continue;
      for (P::ActContext* act : between->act()) {
        ast::SeparateDecl::Side side;
        side.span = Of(act);
        side.what.span = Between(act->start, act->selector()->stop);
        SetActions(act->actions(), &side.what);
        side.what.on = SelectorOf(act->selector());
        side.by = PathOf(act->path());
        decl->sides.push_back(std::move(side));
      }
    } else if (auto* same = As<P::SamePersonClauseContext>(clause)) {
      if (Once("same person", Of(clause))) decl->within = LiteralOf(same->DURATION());
    } else if (auto* roles = As<P::RolesClauseContext>(clause)) {
      if (Once("roles", Of(clause))) decl->roles = QNamesOf(roles->qname());
    } else if (auto* meta = As<P::SeparateMetaClauseContext>(clause)) {
      AddMeta(meta->metaClause(), &decl->meta);
    }
  }
  Finish(std::move(decl));
}

void Builder::Build(P::BreakGlassDeclContext* node) {
  auto decl = Begin<ast::BreakGlassDecl>(node, node->name());
  for (P::BreakGlassClauseContext* clause : node->breakGlassClause()) {
    Span span = Of(clause);
    if (auto* who = As<P::WhoClauseContext>(clause)) {
      if (Once("who", span)) decl->who = SubjectsOf(who->subjects());
    } else if (auto* may = As<P::BreakGlassMayClauseContext>(clause)) {
      decl->may.push_back(MayOf(may->mayClause()));
    } else if (auto* lifts = As<P::LiftsClauseContext>(clause)) {
      for (P::QnameContext* forbid : lifts->qname()) decl->lifts.push_back(QNameOf(forbid));
    } else if (auto* needs = As<P::NeedsClauseContext>(clause)) {
      if (!Once("needs", span)) continue;
      for (P::NameContext* name : needs->name()) decl->needs.push_back(NameOf(name));
    } else if (auto* lasts = As<P::BreakGlassLastsClauseContext>(clause)) {
      if (Once("lasts at most", span)) decl->lasts = LiteralOf(lasts->DURATION());
    } else if (auto* notify = As<P::NotifyClauseContext>(clause)) {
      decl->notify.push_back(OwnerRefOf(notify->ownerRef()));
    } else if (auto* review = As<P::ReviewWithinClauseContext>(clause)) {
      if (!Once("review within", span)) continue;
      decl->review_within = LiteralOf(review->DURATION());
      decl->review_by = OwnerRefOf(review->ownerRef());
    } else if (auto* meta = As<P::BreakGlassMetaClauseContext>(clause)) {
      AddMeta(meta->metaClause(), &decl->meta);
    }
  }
  Finish(std::move(decl));
}

}  // namespace dpl::syntax
