// Emergency doors: who may open them, for what, which forbids they lift, and on what terms.
#include <algorithm>

#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

// People open it; `any agent` beside them says that their software may use what they opened.
void ReadWho(Checker& c, const Symbol& s, ast::BreakGlassDecl& decl, StatementModel& statement) {
  bool said = !decl.who.empty();
  for (size_t i = 0; i < decl.who.size();) {
    const ast::Subject& subject = decl.who[i];
    switch (subject.kind) {
      case ast::Subject::Kind::kTeam:
      case ast::Subject::Kind::kRole:
      case ast::Subject::Kind::kPerson:
      case ast::Subject::Kind::kEveryone:
        ++i;
        continue;
      case ast::Subject::Kind::kAnyAgent:
        statement.break_glass.agents = true;
        break;
      default:
        c.ReportText(DPL0301, subject.span,
                     SubjectText(c, subject) + " cannot open it: emergencies are opened by people")
            .Help(
                "name a role, a team or a person; `any agent` beside them lets their software use "
                "what they opened");
        said = false;
        break;
    }
    decl.who.erase(decl.who.begin() + static_cast<std::ptrdiff_t>(i));
  }
  ResolveSubjects(c, decl.who, *s.file);
  if (!decl.who.empty()) return;
  if (said) {
    Lacks(c, s, "a person in `who`: an agent uses what its person opened",
          "write `who role …, any agent`");
  } else if (!statement.break_glass.agents && decl.who.empty() && !decl.incomplete) {
    Lacks(c, s, "`who`, which says who may open it", "add `who role …`");
  }
}

void ReadNeeds(Checker& c, const Symbol& s, const ast::BreakGlassDecl& decl,
               StatementModel& statement) {
  for (const ast::Name& need : decl.needs) {
    uint8_t bit = need.text == "reason" ? kNeedReason : need.text == "ticket" ? kNeedTicket : 0;
    if (bit == 0) {
      c.Report(DPL0201, need.span, {"need", Quoted(need.text)})
          .Help(DidYouMean(NearNames(need.text, {"reason", "ticket"})))
          .Help("a break_glass can need `reason` and `ticket`");
    } else if ((statement.break_glass.needs & bit) != 0) {
      c.Report(DPL0103, need.span, {Quoted(need.text)});
    }
    statement.break_glass.needs = static_cast<uint8_t>(statement.break_glass.needs | bit);
  }
  if (decl.needs.empty())
    Lacks(c, s, "`needs`, which says what must be given to open it", "add `needs reason, ticket`");
}

int64_t ReadSpan(Checker& c, const ast::Literal& literal, const std::string& what) {
  auto us = DurationUs(c, literal);
  if (us && *us <= 0) c.ReportText(DPL0301, literal.span, what);
  return us && *us > 0 ? *us : 0;
}

// DPL0708: an emergency door without an end, without anybody who learns of it, or without review.
void ReadTermsOfOpening(Checker& c, const Symbol& s, const ast::BreakGlassDecl& decl,
                        StatementModel& statement) {
  std::vector<std::string> missing;
  if (!decl.lasts.present) missing.emplace_back("`lasts at most`");
  if (decl.notify.empty()) missing.emplace_back("`notify`");
  if (!decl.review_within.present) missing.emplace_back("`review within … by`");
  if (!missing.empty() && !decl.incomplete) {
    c.Report(DPL0708, decl.head_span, {Quoted(s.name), Listed(missing)})
        .Help("as in `lasts at most 1h  notify team privacy  review within 24h by team audit`");
  }
  BreakGlass& door = statement.break_glass;
  door.lasts_us = ReadSpan(c, decl.lasts, "an opening that lasts no time opens nothing");
  door.review_within_us =
      ReadSpan(c, decl.review_within, "a review within no time is no time to review");
  for (const ast::OwnerRef& who : decl.notify) {
    Duty duty;
    duty.kind = DutyKind::kNotify;
    duty.who = ResolveOwner(c, who, *s.file);
    duty.span = who.span;
    if (duty.who == OwnerDef{}) continue;
    bool again = std::any_of(door.notify.begin(), door.notify.end(),
                             [&](const Duty& other) { return other.who == duty.who; });
    if (again) {
      c.Report(DPL0103, who.span, {Quoted(c.SourceText(who.span))});
      continue;
    }
    door.notify.push_back(duty);
  }
  if (decl.review_by.present) door.review_by = ResolveOwner(c, decl.review_by, *s.file);
}

void ReadLifts(Checker& c, const Symbol& s, const ast::BreakGlassDecl& decl,
               StatementModel& statement) {
  std::vector<uint32_t>& lifts = statement.break_glass.lifts;
  for (const ast::QName& name : decl.lifts) {
    const Symbol* forbid = LookupQuietly(c, SymbolKind::kForbid, name.text, *s.file);
    if (forbid == nullptr) {
      std::vector<std::string> known;
      for (uint32_t f : c.by_kind[static_cast<size_t>(StatementKind::kForbid)]) {
        const Symbol& other = *c.statement_symbols[f];
        if (other.package == s.package)
          known.push_back(other.name);
        else if (Imports(*s.file, other.package))
          known.push_back(other.qualified);
      }
      const Symbol* other = LookupStatement(c, name.text, *s.file);
      DiagnosticRef report = c.Report(DPL0709, name.span, {Quoted(name.text)});
      if (other != nullptr) {
        report.Label(other->decl->head_span, "this is a " + std::string(KindWord(other->kind)))
            .Help(
                "only forbids are lifted; limits, delegations, tasks and separations hold in an "
                "emergency too");
      } else {
        report.Help(DidYouMean(NearNames(name.text, known)));
      }
      continue;
    }
    if (std::find(lifts.begin(), lifts.end(), forbid->statement) != lifts.end()) {
      c.Report(DPL0103, name.span, {Quoted(name.text)});
      continue;
    }
    lifts.push_back(forbid->statement);
  }
  std::sort(lifts.begin(), lifts.end());
}

}  // namespace

void BuildBreakGlass(Checker& c, const Symbol& s) {
  auto& decl = static_cast<ast::BreakGlassDecl&>(*s.decl);
  StatementModel& statement = c.StatementOf(s);
  CheckMetaAllowed(c, decl.meta, {.because = true, .ticket = true, .review = true, .expires = true},
                   "a break_glass");
  ReadTerms(c, s, decl.meta, Need::kYes);
  ReadWho(c, s, decl, statement);
  ExprScope scope = GrantScope(*s.file, decl.who);
  scope.person = true;
  scope.where = "a break_glass's condition";
  for (ast::MayClause& may : decl.may) {
    if (!may.ask.empty()) {
      c.Report(DPL0102, may.ask.span, {"`ask`", "a break_glass"})
          .Help("an emergency does not wait; who opened it is reviewed instead");
    }
    UnfoldInput input;
    input.role = ClauseRole::kBreakGlassMay;
    input.subjects = &decl.who;
    input.span = may.span;
    input.subject_span = decl.who.empty() ? Span{} : decl.who.front().span;
    input.scope = &scope;
    for (ClauseModel& clause : Unfold(c, may, input)) {
      WarnHiddenLimit(c, clause);
      clause.ask_approval = kNone;
      if (!decl.who.empty()) statement.clauses.push_back(std::move(clause));
    }
  }
  if (decl.may.empty()) Lacks(c, s, "`may`, which says what it opens", "add `may … on …`");
  CheckTrust(c, s, statement.clauses, false);
  ReadLifts(c, s, decl, statement);
  ReadNeeds(c, s, decl, statement);
  ReadTermsOfOpening(c, s, decl, statement);
}

}  // namespace dpl::check
