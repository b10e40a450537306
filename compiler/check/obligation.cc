// Obligations: what must be done along with a permit.
#include <algorithm>

#include "compiler/check/names.h"
#include "compiler/check/overlap.h"
#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/statement.h"

namespace dpl::check {

DutyKind DutyKindOf(ast::Duty::Kind kind) {
  switch (kind) {
    case ast::Duty::Kind::kStepUp:
      return DutyKind::kStepUp;
    case ast::Duty::Kind::kSign:
      return DutyKind::kSign;
    case ast::Duty::Kind::kMask:
      return DutyKind::kMask;
    case ast::Duty::Kind::kNotify:
      return DutyKind::kNotify;
    default:
      return DutyKind::kLog;
  }
}

namespace {

constexpr size_t kMaxDuties = 16;  // of one statement, as the verifier counts

// What is masked is an attribute of everything that is covered: a slip would leave the real one
// readable.
bool MaskedFields(Checker& c, const ast::Duty& duty, const std::vector<ClauseModel>& clauses,
                  Duty* out) {
  bool ok = true;
  for (const ast::Name& name : duty.names) {
    for (uint32_t type : TypesOf(clauses)) {
      const ResourceDef& resource = c.model.schema.resources[type];
      std::vector<std::string> known;
      for (const AttributeDef& attribute : resource.attributes)
        known.emplace_back(c.Text(attribute.name));
      if (std::find(known.begin(), known.end(), name.text) != known.end() ||
          c.Broken(type, name.text))
        continue;
      ok = false;
      c.Report(DPL0302, name.span, {Quoted(c.Text(resource.name)), Quoted(name.text)})
          .Label(resource.span, "declared here")
          .Help(DidYouMean(NearNames(name.text, known)))
          .Help("what is masked is declared: `has " + name.text + ": …`");
    }
    Str field = c.model.AddString(name.text);
    if (std::find(out->fields.begin(), out->fields.end(), field) != out->fields.end()) {
      c.Report(DPL0103, name.span, {Quoted(name.text)});
      continue;
    }
    out->fields.push_back(field);
  }
  return ok;
}

// Two levels of one sign-in, two meanings of one signature: no one act could be both.
bool Contradict(const Duty& a, const Duty& b) {
  bool one = a.kind == DutyKind::kStepUp || a.kind == DutyKind::kSign;
  return one && a.kind == b.kind && a.text != b.text;
}

void ReportContradiction(Checker& c, const Duty& here, const Duty& there) {
  c.Report(DPL0707, here.span, {Quoted(c.SourceText(here.span)), Quoted(c.SourceText(there.span))})
      .Label(there.span, "said here")
      .Help(here.kind == DutyKind::kStepUp
                ? "keep the level that is meant; where both are, give each its own condition"
                : "a signature has one meaning: keep the one that is meant");
}

void BuildDuty(Checker& c, const Symbol& s, const ast::Duty& duty) {
  StatementModel& statement = c.StatementOf(s);
  Obligation& obligation = statement.obligation;
  if (duty.kind == ast::Duty::Kind::kAsk) {
    const Symbol* approval = Lookup(c, SymbolKind::kApproval, duty.ask, *s.file);
    if (approval == nullptr) return;
    if (std::find(obligation.asks.begin(), obligation.asks.end(), approval->index) !=
        obligation.asks.end()) {
      c.Report(DPL0103, duty.span, {Quoted(c.SourceText(duty.span))});
      return;
    }
    obligation.asks.push_back(approval->index);
    return;
  }
  Duty built;
  built.kind = DutyKindOf(duty.kind);
  built.span = duty.span;
  if (built.kind == DutyKind::kStepUp || built.kind == DutyKind::kSign) {
    if (duty.text.value.find_first_not_of(' ') == std::string::npos) {
      c.ReportText(DPL0301, duty.text.span,
                   built.kind == DutyKind::kStepUp ? "this names no level of sign-in"
                                                   : "a signature without a meaning signs nothing")
          .Help(built.kind == DutyKind::kStepUp
                    ? "name one: `must step_up \"urn:acme:loa:3\"`"
                    : "say what is signed: `must sign meaning \"approval\"`");
      return;
    }
    built.text = c.model.AddString(duty.text.value);
  }
  if (built.kind == DutyKind::kMask && !MaskedFields(c, duty, statement.clauses, &built)) return;
  if (built.kind == DutyKind::kNotify) {
    built.who = ResolveOwner(c, duty.who, *s.file);
    if (built.who == OwnerDef{}) return;
  }
  for (const Duty& other : obligation.duties) {
    if (Contradict(built, other)) {
      ReportContradiction(c, built, other);
      return;
    }
    if (other.kind == built.kind && other.text == built.text && other.fields == built.fields &&
        other.who == built.who) {
      c.Report(DPL0103, duty.span, {Quoted(c.SourceText(duty.span))});
      return;
    }
  }
  obligation.duties.push_back(std::move(built));
}

// Whether one applies whenever the other does: no condition, no id, no place on either side.
bool AlwaysTogether(const Checker& c, const ClauseModel& a, const ClauseModel& b) {
  for (const ClauseModel* clause : {&a, &b}) {
    if (clause->where != nullptr || clause->has_id || !clause->containers.empty()) return false;
  }
  if (!SharesAction(a, b)) return false;
  auto everyone = [](const ClauseModel& clause) {
    return clause.subjects == nullptr || clause.subjects->empty() ||
           std::any_of(clause.subjects->begin(), clause.subjects->end(), [](const ast::Subject& s) {
             return s.kind == ast::Subject::Kind::kEveryone ||
                    s.kind == ast::Subject::Kind::kPublic;
           });
  };
  if (everyone(a) || everyone(b)) return true;
  for (const ast::Subject& x : *a.subjects) {
    for (const ast::Subject& y : *b.subjects) {
      if (SubjectsMeet(c, x, y) == Meeting::kAlways) return true;
    }
  }
  return false;
}

}  // namespace

void BuildObligation(Checker& c, const Symbol& s) {
  auto& decl = static_cast<ast::ObligationDecl&>(*s.decl);
  StatementModel& statement = c.StatementOf(s);
  CheckMetaAllowed(c, decl.meta, {.because = true, .ticket = true, .review = true},
                   "an obligation");
  ReadTerms(c, s, decl.meta, Need::kYes);
  ResolveSubjects(c, decl.applies_to, *s.file);
  ExprScope scope = RestrictingScope(*s.file, "an obligation's condition");
  Span subjects = decl.applies_to.empty() ? Span{} : decl.applies_to.front().span;
  AddCovers(c, statement, decl.covers, ClauseRole::kObligationCovers,
            decl.has_applies_to ? &decl.applies_to : nullptr, subjects, scope);
  if (decl.covers.empty())
    Lacks(c, s, "`covers`, which says what it is about", "add `covers … on …`");
  if (decl.duties.empty())
    Lacks(c, s, "`must`, which says what is to be done", "add `must log`, `must step_up \"…\"`");
  if (decl.duties.size() > kMaxDuties) {
    c.Report(DPL0902, decl.head_span, {Called(s) + " has more duties than a bundle holds (16)"});
    return;
  }
  for (const ast::Duty& duty : decl.duties) BuildDuty(c, s, duty);
}

// DPL0707 between statements: where both always apply, they ask for one act in two ways.
void CheckObligations(Checker& c) {
  struct Entry {
    const ClauseModel* clause;
    const StatementModel* statement;
  };
  std::map<std::pair<uint32_t, uint32_t>, std::vector<Entry>> by_action;
  for (uint32_t s : c.by_kind[static_cast<size_t>(StatementKind::kObligation)]) {
    const StatementModel& here = c.model.statements[s];
    for (const Duty& duty : here.obligation.duties) {
      bool said = false;
      for (const ClauseModel& clause : here.clauses) {
        for (uint32_t action : clause.actions) {
          for (const Entry& other : by_action[{clause.type, action}]) {
            if (said || other.statement == &here || !AlwaysTogether(c, clause, *other.clause))
              continue;
            for (const Duty& earlier : other.statement->obligation.duties) {
              if (said || !Contradict(duty, earlier)) continue;
              ReportContradiction(c, duty, earlier);
              said = true;
            }
          }
        }
      }
    }
    for (const ClauseModel& clause : here.clauses) {
      if (clause.where != nullptr || clause.has_id || !clause.containers.empty()) continue;
      for (uint32_t action : clause.actions)
        by_action[{clause.type, action}].push_back({&clause, &here});
    }
  }
}

}  // namespace dpl::check
