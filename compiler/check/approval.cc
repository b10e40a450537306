// Approvals: who may say yes, how long it waits, and what it is good for.
#include <algorithm>

#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

uint8_t BitOf(ast::Party party) {
  switch (party) {
    case ast::Party::kPerson:
      return kPartyPerson;
    case ast::Party::kAgent:
      return kPartyAgent;
    case ast::Party::kAccountable:
      return kPartyAccountable;
    case ast::Party::kManager:
      return kPartyManager;
  }
  return 0;
}

const char* PartyText(ast::Party party) {
  switch (party) {
    case ast::Party::kPerson:
      return "the person";
    case ast::Party::kAgent:
      return "the agent";
    case ast::Party::kAccountable:
      return "the accountable";
    case ast::Party::kManager:
      return "the manager";
  }
  return "";
}

// `the manager` is read from the attribute that places a person under another.
bool HasManager(const Checker& c) {
  const PersonDef& person = c.model.schema.person;
  return std::any_of(person.attributes.begin(), person.attributes.end(),
                     [&](const AttributeDef& attribute) {
                       return c.Text(attribute.name) == "manager" &&
                              c.Type(attribute.type).kind == TypeKind::kPerson;
                     });
}

}  // namespace

void BuildApproval(Checker& c, const Symbol& s) {
  auto& decl = static_cast<ast::ApprovalDecl&>(*s.decl);
  StatementModel& statement = c.StatementOf(s);
  CheckMetaAllowed(c, decl.meta, {.because = true, .ticket = true, .review = true}, "an approval");
  ReadTerms(c, s, decl.meta, Need::kYes);
  if (decl.by.empty()) Lacks(c, s, "`by`, which says who approves", "add `by 1 of role …`");
  for (ast::ApprovalDecl::By& by : decl.by) {
    ResolveSubjects(c, by.subjects, *s.file);
    StatementModel::ApprovalBy built;
    auto count = WholeNumber(c, by.count);
    if (count && (*count < 1 || *count > 16)) {
      c.ReportText(DPL0301, by.count.span,
                   "an approval is by 1 to 16 people, not " + by.count.text);
    }
    built.count = count && *count > 0 ? static_cast<uint32_t>(*count) : 1;
    for (const ast::Subject& subject : by.subjects) {
      bool person = subject.kind == ast::Subject::Kind::kTeam ||
                    subject.kind == ast::Subject::Kind::kRole ||
                    subject.kind == ast::Subject::Kind::kPerson ||
                    subject.kind == ast::Subject::Kind::kEveryone;
      if (!person) {
        c.ReportText(DPL0301, subject.span,
                     SubjectText(c, subject) + " cannot approve: approvals are given by people")
            .Help("name a role, a team or a person");
        continue;
      }
      if (subject.kind != ast::Subject::Kind::kPartner) built.subjects.push_back(subject);
    }
    for (ast::Party party : by.parties) {
      built.parties |= BitOf(party);
      if (party == ast::Party::kPerson || party == ast::Party::kAccountable) {
        c.ReportText(
             DPL0705, by.span,
             std::string("`") + PartyText(party) +
                 "` may be named here but never counts: nobody approves a request of their own")
            .Help("name a role, a team or `the manager`");
      } else if (party == ast::Party::kAgent) {
        c.ReportText(DPL0301, by.span, "`the agent` cannot approve: approvals are given by people")
            .Help("name a role, a team or a person");
      } else if (!HasManager(c)) {
        c.Report(DPL0302, by.span, {"a person", "`manager`"})
            .Help("declare it in `person`: `within manager: Person?`");
      }
    }
    statement.approval_by.push_back(std::move(built));
  }
  for (ast::Party party : decl.never_by) statement.approval.never_by |= BitOf(party);
  statement.approval.within_us = DurationUs(c, decl.within).value_or(0);
  if (auto good = WholeNumber(c, decl.good_for)) {
    if (*good < 1 || *good > 1000) {
      c.ReportText(DPL0301, decl.good_for.span,
                   "an approval is good for 1 to 1000 requests, not " + decl.good_for.text);
    } else {
      statement.approval.good_for = static_cast<uint32_t>(*good);
    }
  }
  statement.approval.good_within_us = DurationUs(c, decl.good_within).value_or(0);
  statement.approval.signs = c.model.AddString(decl.signs.value);
}

}  // namespace dpl::check
