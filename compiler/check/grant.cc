// Grants: rows of who and what, limits, and the terms that keep them honest.
#include <algorithm>

#include "compiler/check/names.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

// Granted, reviewed, expires: in force, and looked at again.
void CheckDates(Checker& c, const Symbol& s, const ast::GrantDecl& decl,
                StatementModel& statement) {
  const ZoneTable& zone = ZoneOf(c, s.package);
  const ast::Literal& granted = decl.granted.present ? decl.granted : s.file->file->granted;
  if (auto us = InstantUs(c, granted, zone, false)) statement.granted_us = *us;
  statement.reviewed_us = statement.granted_us;
  if (auto us = InstantUs(c, decl.reviewed, zone, false)) statement.reviewed_us = *us;
  if (statement.expires_us != INT64_MAX && statement.granted_us != INT64_MIN &&
      statement.expires_us <= statement.granted_us) {
    c.Report(DPL0407, decl.meta.expires.span, {Called(s)}).Label(granted.span, "granted here");
  }
  statement.imported = decl.imported_from.present;
  if (statement.imported) {
    if (!decl.reviewed.present) {
      statement.reviewed_us = INT64_MIN;
      c.Report(DPL0416, decl.head_span, {Called(s)})
          .Help(
              "find out why it exists, then add `because \"…\"` and `reviewed DATE by person "
              "\"…\"`, or remove it");
    }
  } else if (!decl.incomplete) {
    bool expires = statement.expires_us != INT64_MAX;
    bool reviewed = statement.review_every_us != 0 && statement.reviewed_us != INT64_MIN;
    if (!expires && !reviewed) {
      DiagnosticRef report = c.Report(DPL0406, decl.head_span, {Called(s)});
      if (statement.review_every_us != 0) {
        report.Help("add `granted DATE`: the review counts from it");
      } else if (statement.granted_us != INT64_MIN) {
        report.Help("add `review every 90d`, or `expires DATE`");
      } else {
        report.Help(
            "add `expires DATE`; or state `granted DATE` and `review every 90d`, here or once "
            "below the package line");
      }
    }
  }
  // Without a day to count from, only the expiry ends it.
  if (statement.reviewed_us == INT64_MIN && !statement.imported) statement.review_every_us = 0;
  if (c.options.as_of && statement.review_every_us != 0 && statement.reviewed_us != INT64_MIN) {
    int64_t due = 0;
    if (!__builtin_add_overflow(statement.reviewed_us, statement.review_every_us, &due) &&
        due < c.options.as_of->us) {
      // The day people count to: 90 days after the day of the last review, wherever the clocks
      // stand then.
      Date last = zone.LocalDate(Instant{statement.reviewed_us});
      Date day = AddDays(last, statement.review_every_us / kMicrosPerDay).value_or(last);
      c.Report(DPL0409, decl.head_span, {Called(s), FormatDate(day)})
          .Help("review it and add `reviewed DATE by person \"…\"`, or let it end");
    }
  }
}

void CheckRows(Checker& c, const Symbol& s, ast::GrantDecl& decl, StatementModel& statement) {
  if (decl.rows.empty()) Lacks(c, s, "`to`, which says who", "add `to team …  may … on …`");
  if (decl.rows.size() > UINT16_MAX) {
    c.Report(DPL0902, decl.head_span, {Called(s) + " has more rows than a bundle holds (65535)"});
    return;
  }
  uint16_t row_number = 0;
  for (ast::GrantRow& row : decl.rows) {
    ResolveSubjects(c, row.to, *s.file);
    ExprScope scope = GrantScope(*s.file, row.to);
    for (const ast::Subject& subject : row.to) {
      if (subject.kind == ast::Subject::Kind::kAnyAgent) {
        c.ReportText(
             DPL0607, subject.span,
             "a grant cannot be to any agent: agents act for people, or are named one by one")
            .Help("grant it to the people, and delegate it; or name one standing agent");
      } else if (subject.kind == ast::Subject::Kind::kAgent && subject.ref != kNone) {
        const StatementModel& agent = c.Agent(subject.ref);
        if ((agent.agent.modes & kModeStanding) == 0) {
          c.Report(DPL0607, subject.span, {Called(s), Quoted(subject.name.text)})
              .Label(agent.decl->head_span, "its `modes` are declared here")
              .Help(
                  "grant it to the people the agent acts for and delegate it, or make the agent "
                  "`modes standing`");
        }
      }
    }
    if (row.may.empty() && !decl.incomplete) {
      c.ReportText(DPL0104, row.span, Called(s) + " gives nothing to these")
          .Help("add `may … on …` after `to …`");
    }
    for (ast::MayClause& may : row.may) {
      UnfoldInput input;
      input.role = ClauseRole::kGrantMay;
      input.row = row_number;
      input.subjects = &row.to;
      input.span = may.span;
      input.subject_span = row.span;
      input.scope = &scope;
      std::vector<ClauseModel> clauses = Unfold(c, may, input);
      for (ClauseModel& clause : clauses) {
        WarnHiddenLimit(c, clause);
        if (!row.to.empty()) statement.clauses.push_back(std::move(clause));
      }
      bool everyone = std::any_of(row.to.begin(), row.to.end(), [](const ast::Subject& to) {
        return to.kind == ast::Subject::Kind::kEveryone;
      });
      std::string broad;
      if (may.on.everything_in)
        broad = "everything in " + Quoted(may.on.system.text);
      else if (may.any_action)
        broad = "any action, also those declared later";
      else if (everyone && may.on.where == nullptr)
        broad = "everyone, without a condition";
      if (!broad.empty() && !statement.imported) {
        c.Report(DPL0412, may.span, {Called(s), broad}).Help("name what is needed");
      }
    }
    ++row_number;
  }
}

void CheckGovernance(Checker& c, const Symbol& s, const ast::GrantDecl& decl,
                     const StatementModel& statement) {
  if (statement.imported || decl.incomplete) return;
  const Package& package = c.packages[s.package];
  if (package.requires_ticket && !decl.meta.ticket.present) {
    c.Report(DPL0405, decl.head_span, {Called(s)})
        .Help("this package says `requires ticket`: add `ticket \"…\"`");
  }
}

}  // namespace

void BuildGrant(Checker& c, const Symbol& s) {
  auto& decl = static_cast<ast::GrantDecl&>(*s.decl);
  StatementModel& statement = c.StatementOf(s);
  ReadTerms(c, s, decl.meta, decl.imported_from.present ? Need::kNo : Need::kYes);
  statement.trusting_request = decl.trusting_request;
  CheckDates(c, s, decl, statement);
  if (decl.approved_by.present)
    statement.grant.approved_by = c.PersonConstant(decl.approved_by.value, decl.approved_by.span);
  if (decl.reviewed_by.present) c.PersonConstant(decl.reviewed_by.value, decl.reviewed_by.span);
  CheckRows(c, s, decl, statement);
  CheckGovernance(c, s, decl, statement);
  CheckTrust(c, s, statement.clauses, decl.trusting_request);
  for (const ast::QName& name : decl.supersedes) {
    const Symbol* other = Lookup(c, SymbolKind::kGrant, name, *s.file);
    if (other == nullptr) continue;
    if (other == &s) {
      c.ReportText(DPL0511, name.span, Called(s) + " supersedes itself");
      continue;
    }
    statement.grant.supersedes.push_back(other->statement);
  }
  std::sort(statement.grant.supersedes.begin(), statement.grant.supersedes.end());

  bool agents = !decl.rows.empty(), people = true, partners = agents;
  for (const ast::GrantRow& row : decl.rows) {
    for (const ast::Subject& subject : row.to) {
      bool agent = subject.kind == ast::Subject::Kind::kAgent;
      agents &= agent;
      bool partner = subject.kind == ast::Subject::Kind::kPartner;
      partners &= partner;
      people &= !agent && !partner && subject.kind != ast::Subject::Kind::kPublic;
    }
  }
  ExprScope scope = BoundingScope(*s.file, "a grant's limit");
  scope.agent = scope.task = false;
  scope.person = people;
  LimitPlace place;
  place.scope = &scope;
  place.person = people;
  place.agent = place.instance = agents;
  place.partner = partners;
  place.no_person = "not everyone it is granted to is a person who is known";
  place.no_agent =
      "people who act without an agent have none, and would be denied; count it in the agent, the "
      "delegation or a `limit` block";
  BuildLimits(c, s, decl.limits, place);
}

}  // namespace dpl::check
