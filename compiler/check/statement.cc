// The statements as a sorted list, and what all of them share.
#include "compiler/check/statement.h"

#include <algorithm>
#include <cctype>

#include "compiler/check/phases.h"
#include "compiler/check/schema_build.h"
#include "compiler/check/types.h"
#include "compiler/check/values.h"

namespace dpl::check {
namespace {

struct KindOf {
  SymbolKind symbol;
  StatementKind statement;
};
constexpr KindOf kKinds[] = {
    // in the order of StatementKind
    {SymbolKind::kGrant, StatementKind::kGrant},
    {SymbolKind::kLimit, StatementKind::kLimit},
    {SymbolKind::kForbid, StatementKind::kForbid},
    {SymbolKind::kAgent, StatementKind::kAgent},
    {SymbolKind::kDelegation, StatementKind::kDelegation},
    {SymbolKind::kTask, StatementKind::kTask},
    {SymbolKind::kApproval, StatementKind::kApproval},
    {SymbolKind::kObligation, StatementKind::kObligation},
    {SymbolKind::kSeparate, StatementKind::kSeparate},
    {SymbolKind::kBreakGlass, StatementKind::kBreakGlass},
    {SymbolKind::kPartner, StatementKind::kPartner},
};

// Visits the reads of an annotated condition: attributes, with what they belong to.
void WalkReads(const ast::Expr* e, const std::function<void(const ast::Expr&)>& visit) {
  if (e != nullptr) Walk(*e, visit);
}

}  // namespace

void BuildStatements(Checker& c) {
  size_t count = 0;
  for (const KindOf& kind : kKinds) {
    for (const Package& package : c.packages)
      count += package.names[static_cast<size_t>(kind.symbol)].size();
  }
  c.model.statements.reserve(count);
  for (const KindOf& kind : kKinds) {
    std::vector<Symbol*> symbols = SortedSymbols(c, kind.symbol);
    uint32_t ordinal = 0;
    for (Symbol* symbol : symbols) {
      symbol->index = ordinal++;
      symbol->statement = static_cast<uint32_t>(c.model.statements.size());
      c.by_kind[static_cast<size_t>(kind.statement)].push_back(symbol->statement);
      c.statement_symbols.push_back(symbol);
      StatementModel& statement = c.model.statements.emplace_back();
      statement.kind = kind.statement;
      statement.decl = symbol->decl;
      statement.name = symbol->qualified;
      statement.package = symbol->package;
      statement.ordinal = symbol->index;
      statement.doc = symbol->decl->doc;
    }
  }
  auto build = [&](StatementKind kind, void (*one)(Checker&, const Symbol&)) {
    for (uint32_t s : c.by_kind[static_cast<size_t>(kind)]) one(c, *c.statement_symbols[s]);
  };
  build(StatementKind::kApproval, BuildApproval);
  build(StatementKind::kTask, BuildTask);
  build(StatementKind::kAgent, BuildAgent);
  build(StatementKind::kDelegation, BuildDelegation);
  build(StatementKind::kGrant, BuildGrant);
  build(StatementKind::kLimit, BuildLimitBlock);
  build(StatementKind::kForbid, BuildForbid);
  build(StatementKind::kObligation, BuildObligation);
  build(StatementKind::kSeparate, BuildSeparate);
  build(StatementKind::kBreakGlass, BuildBreakGlass);
  build(StatementKind::kPartner, BuildPartner);
}

const ZoneTable& ZoneOf(const Checker& c, uint32_t package) {
  return c.model.schema.zones[c.packages[package].zone];
}

std::string Called(const Symbol& s) { return std::string(KindWord(s.kind)) + " " + Quoted(s.name); }

void Lacks(Checker& c, const Symbol& s, const std::string& what, const std::string& help) {
  if (s.decl->incomplete) return;
  c.ReportText(DPL0104, s.decl->head_span, Called(s) + " needs " + what).Help(help);
}

bool IsEmptyTalk(std::string_view because) {
  std::string words;
  size_t letters = 0;
  constexpr size_t kLongest = 20;  // letters: more than any talk below has
  for (char ch : because) {
    if (letters >= kLongest) return false;
    unsigned char byte = static_cast<unsigned char>(ch);
    if (std::isalnum(byte) != 0 || byte >= 0x80) {
      ++letters;
      words.push_back(static_cast<char>(std::tolower(byte)));
    } else if (!words.empty() && words.back() != ' ') {
      words.push_back(' ');
    }
  }
  while (!words.empty() && words.back() == ' ') words.pop_back();
  static const std::set<std::string, std::less<>> kTalk = {
      "todo",
      "tbd",
      "fixme",
      "xxx",
      "because",
      "just because",
      "n a",
      "none",
      "nothing",
      "no reason",
      "reason",
      "needed",
      "required",
      "because needed",
      "as needed",
      "misc",
      "temp",
      "temporary",
      "test",
      "asdf",
      "see ticket",
      "business need",
      "business reason",
      "business reasons",
      "to be determined",
      "to be defined",
      "legacy",
      "unknown",
      "whatever",
  };
  return letters < 3 || kTalk.contains(words);
}

void ReadTerms(Checker& c, const Symbol& s, const ast::Meta& meta, Need because) {
  StatementModel& statement = c.StatementOf(s);
  statement.owner = OwnerOrPackage(c, meta.owner, *s.file);
  statement.because = meta.because.value;
  statement.ticket = meta.ticket.value;
  if (!meta.because.present) {
    if (because == Need::kYes && !s.decl->incomplete) {
      c.Report(DPL0403, s.decl->head_span, {Called(s)})
          .Help("add `because \"…\"`, in words an auditor would accept");
    }
  } else if (IsEmptyTalk(meta.because.value)) {
    c.Report(DPL0403, meta.because.span, {Called(s)})
        .Help(Quoted(meta.because.value) + " says nothing; name the purpose or the rule behind it");
  }
  const ast::Literal& review =
      meta.review_every.present ? meta.review_every : s.file->file->review_every;
  if (auto us = DurationUs(c, review)) {
    statement.review_every_us = *us;
    if (*us <= 0)
      c.ReportText(DPL0006, review.span, Quoted(review.text) + " is no interval for a review");
  }
  if (auto us = InstantUs(c, meta.expires, ZoneOf(c, s.package), true)) statement.expires_us = *us;
}

ExprScope GrantScope(FileScope& file, const std::vector<ast::Subject>& to) {
  ExprScope scope;
  scope.file = &file;
  scope.where = "a grant's condition";
  scope.person = scope.resource = scope.request = scope.now = scope.context = true;
  bool agents_only = !to.empty();
  for (const ast::Subject& subject : to) {
    agents_only &= subject.kind == ast::Subject::Kind::kAgent;
    if (subject.kind == ast::Subject::Kind::kPublic) {
      scope.person = false;
      scope.where = "the condition of a grant to the public";
    } else if (subject.kind == ast::Subject::Kind::kPartner) {
      scope.person = false;
      scope.where = "the condition of a grant to a partner";
    }
  }
  if (agents_only) {
    scope.person = false;
    scope.where = "the condition of a grant to an agent that acts for nobody";
  }
  return scope;
}

ExprScope BoundingScope(FileScope& file, const std::string& where) {
  ExprScope scope;
  scope.file = &file;
  scope.where = where;
  scope.person = scope.agent = scope.resource = scope.request = scope.task = scope.now =
      scope.context = true;
  return scope;
}

ExprScope RestrictingScope(FileScope& file, const std::string& where) {
  ExprScope scope = BoundingScope(file, where);
  scope.restricting = true;
  return scope;
}

void CheckTrust(Checker& c, const Symbol& s, const std::vector<ClauseModel>& clauses,
                bool trusting) {
  if (trusting) return;
  const PersonDef& person = c.model.schema.person;
  for (const ClauseModel& clause : clauses) {
    WalkReads(clause.where, [&](const ast::Expr& e) {
      if (e.ref != ast::RefKind::kPersonAttr || !person.attributes[e.ref_a].from_request) return;
      c.Report(DPL0418, e.span, {Quoted(c.SourceText(e.span)), Called(s)})
          .Label(person.attributes[e.ref_a].span, "declared `from request` here")
          .Help(s.kind == SymbolKind::kBreakGlass
                    ? "hold it as a fact"
                    : "add `trusting request` if the callers who may assert it are to be believed, "
                      "or hold it as a fact");
    });
  }
}

void WarnRestricting(Checker& c, const ast::Expr* condition, const std::string& what) {
  for (const ast::Expr* part : Conjuncts(condition)) {
    if (part->kind != ast::ExprKind::kIsKnown) continue;
    c.Report(DPL0419, part->span, {Quoted(c.SourceText(part->args[0]->span)), what})
        .Help("leave the test out: a value that is not known makes it apply");
  }
  WalkReads(condition, [&](const ast::Expr& e) {
    const AttributeDef* attribute = nullptr;
    if (e.ref == ast::RefKind::kPersonAttr) attribute = &c.model.schema.person.attributes[e.ref_a];
    if (e.ref == ast::RefKind::kResourceAttr)
      attribute = &c.model.schema.resources[e.ref_b].attributes[e.ref_a];
    if (e.ref == ast::RefKind::kContextAttr) attribute = &c.model.schema.context[e.ref_a];
    if (attribute == nullptr || !attribute->from_request || attribute->default_constant == kNone)
      return;
    c.Report(DPL0421, e.span, {Quoted(c.SourceText(e.span))})
        .Label(attribute->span, "declared here");
  });
}

void WarnHiddenLimit(Checker& c, const ClauseModel& clause) {
  WalkReads(clause.where, [&](const ast::Expr& e) {
    bool order = e.kind == ast::ExprKind::kLt || e.kind == ast::ExprKind::kLe ||
                 e.kind == ast::ExprKind::kGt || e.kind == ast::ExprKind::kGe;
    if (!order) return;
    for (const auto& arg : e.args) {
      if (arg->ref != ast::RefKind::kRequestParam) continue;
      for (const ActionDef* action : ActionsOf(c, clause)) {
        for (const ParamDef& param : action->params) {
          if (param.name != arg->ref_a || !param.must_be_limited) continue;
          c.Report(DPL0512, e.span, {Quoted(c.Text(param.name))})
              .Help("write it as a limit: `limit " + std::string(c.Text(param.name)) +
                    " to … each`");
          return;
        }
      }
    }
  });
}

void AddMay(Checker& c, StatementModel& statement, std::vector<ast::MayClause>& may,
            ClauseRole role, const ExprScope& scope) {
  for (ast::MayClause& clause : may) {
    UnfoldInput input;
    input.role = role;
    input.span = clause.span;
    input.scope = &scope;
    for (ClauseModel& unfolded : Unfold(c, clause, input)) {
      WarnHiddenLimit(c, unfolded);
      statement.clauses.push_back(std::move(unfolded));
    }
  }
}

void AddCovers(Checker& c, StatementModel& statement, std::vector<ast::CoversClause>& covers,
               ClauseRole role, const std::vector<ast::Subject>* subjects, const Span& subject_span,
               const ExprScope& scope) {
  for (ast::CoversClause& clause : covers) {
    UnfoldInput input;
    input.role = role;
    input.subjects = subjects;
    input.span = clause.span;
    input.subject_span = subject_span;
    input.scope = &scope;
    input.id_warning = true;
    for (ClauseModel& unfolded : Unfold(c, clause.what, input)) {
      if (role == ClauseRole::kForbidCovers) WarnHiddenLimit(c, unfolded);
      WarnRestricting(c, unfolded.where,
                      role == ClauseRole::kLimitCovers        ? "limit"
                      : role == ClauseRole::kObligationCovers ? "obligation"
                                                              : "forbid");
      statement.clauses.push_back(std::move(unfolded));
    }
  }
}

}  // namespace dpl::check
