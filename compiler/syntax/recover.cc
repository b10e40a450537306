// Mending the token list after a misfit.
#include "compiler/syntax/recover.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "compiler/syntax/words.h"

namespace dpl::syntax {
namespace {

using P = DplParser;

constexpr size_t kMaxReports = 200;
constexpr size_t kMaxWork = 2'000'000;  // about a second of repeated reading

template <size_t kSize>
bool OneOf(size_t type, const std::array<size_t, kSize>& types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

// After these a word is a name or goes on with the clause: it does not begin one.
bool GoesOn(size_t type) {
  return OneOf(
      type, std::array<size_t, 46>{
                P::DOT,  P::COMMA, P::COLON, P::ASSIGN, P::LPAREN, P::LBRACK, P::EQEQ,     P::NE,
                P::LE,   P::GE,    P::LT,    P::GT,     P::PLUS,   P::MINUS,  P::STAR,     P::AND,
                P::OR,   P::NOT,   P::IN,    P::ON,     P::TO,     P::BY,     P::OF,       P::FOR,
                P::FROM, P::AS,    P::TEAM,  P::ROLE,   P::AGENT,  P::TASK,   P::ACTIVITY, P::GRANT,
                P::MAY,  P::CAN,   P::HAS,   P::LIMIT,  P::ASK,    P::COVERS, P::APPLIES,  P::THE,
                P::MUST, P::IF,    P::THEN,  P::ELSE,   P::WHERE,  P::DURING});
}

// Words that begin clauses but stand inside many others too: on a line with something before them
// they must prove themselves.
bool Doubtful(size_t type) {
  return OneOf(type, std::array<size_t, 11>{P::TO, P::FROM, P::BY, P::WITHIN, P::IS, P::AT,
                                            P::WHERE, P::FOR, P::NO, P::WITH, P::IDENT});
}

bool Opens(size_t type) { return type == P::LBRACE || type == P::LPAREN || type == P::LBRACK; }
bool Closes(size_t type) { return type == P::RBRACE || type == P::RPAREN || type == P::RBRACK; }

}  // namespace

Span Recovery::SpanAt(size_t index) const {
  const SourceToken& token = tokens_->At(index);
  if (token.getType() != antlr4::Token::EOF || index == 0)
    return source_.MakeSpan(token.begin(), token.end());
  uint32_t end = tokens_->At(index - 1).end();  // the end of the file is just after its last word
  return source_.MakeSpan(end, end);
}

bool Recovery::Report(const Finding& finding) {
  size_t index = finding.token;
  if (reports_ == kMaxReports) {
    sink_->ReportText(
        DPL0106, SpanAt(index),
        fmt::format("more than {} syntax errors: the rest of the file was not read", kMaxReports));
  }
  if (reports_++ >= kMaxReports) return false;
  Span span = SpanAt(index);
  DiagnosticRef report = sink_->ReportText(finding.code, span, finding.message);
  for (const std::string& help : finding.help) report.Help(help);
  if (!finding.replacement.empty()) report.Fix(span, finding.replacement);
  return true;
}

bool Recovery::ReadsAs(size_t rule, size_t index) {
  Stop stop;
  bool fits = reader_->Read(rule, index, &stop) != nullptr;
  work_ += (fits ? reader_->end() : stop.token) - index + 1;
  return fits;
}

// The shape of a declaration's first words, at the start of a line.
bool Recovery::LooksLikeDeclaration(size_t index) const {
  const SourceToken& token = tokens_->At(index);
  if (!token.first_on_line()) return false;
  auto type = [&](size_t offset) { return tokens_->TypeAt(index + offset); };
  auto name = [&](size_t offset) {  // a reserved word is a bad name, but a name
    return reader_->First(P::RuleWord).contains(static_cast<ssize_t>(type(offset)));
  };
  bool braces_or_nothing = type(2) == P::LBRACE || type(2) == antlr4::Token::EOF ||
                           tokens_->At(index + 2).first_on_line();
  switch (token.getType()) {
    case P::OWNER:
      return type(1) == P::OF;
    case P::PERSON:
    case P::CONTEXT:
    case P::DATA:
      return type(1) == P::LBRACE;
    case P::TEST:
      return (type(1) == P::STRING || name(1)) && type(2) == P::LBRACE;
    case P::IMPORT:
    case P::PACKAGE:
      return name(1);  // in the wrong place, but nothing else begins so
    case P::TIMEZONE:
      return type(1) == P::STRING;
    case P::CONST:
    case P::FUNCTION:
    case P::ENUM:
      return name(1);
    case P::RESOURCE:
      return name(1) && type(2) == P::IN;
    case P::TASK:
      return name(1) && type(2) == P::LPAREN;
    case P::ROLE:
      return name(1) && (braces_or_nothing || (type(2) == P::IN && name(3) && type(3) != P::HAS));
    case P::SYSTEM:
      return name(1) && braces_or_nothing;
    case P::CALENDAR:
    case P::TEAM:
    case P::ACTIVITY:
    case P::GRANT:
    case P::LIMIT:
    case P::FORBID:
    case P::AGENT:
    case P::DELEGATION:
    case P::APPROVAL:
    case P::OBLIGATION:
    case P::SEPARATE:
    case P::BREAK_GLASS:
    case P::PARTNER:
      return name(1) && type(2) == P::LBRACE;
    default:
      return false;
  }
}

size_t Recovery::NextDeclaration(size_t at) const {
  size_t last = tokens_->size() - 1;
  while (at < last && !LooksLikeDeclaration(at)) ++at;
  return at;
}

bool Recovery::StartsClause(size_t index, size_t clause_rule, bool sure) {
  size_t type = tokens_->TypeAt(index);
  if (!reader_->First(clause_rule).contains(static_cast<ssize_t>(type))) return false;
  const SourceToken& token = tokens_->At(index);
  size_t before = index == 0 ? size_t{P::LBRACE} : tokens_->TypeAt(index - 1);
  if (!sure) return ReadsAs(clause_rule, index);
  if (token.first_on_line()) return before != P::COMMA && before != P::DOT;
  if (GoesOn(before)) return false;
  bool doubtful = Doubtful(type) || clause_rule == P::RuleDatum;  // any name begins a fact
  return !doubtful || ReadsAs(clause_rule, index);
}

// A word at the start of a line that begins a clause somewhere, or is no keyword at all: a clause
// of its own, if a wrong one.
bool Recovery::LooksLikeClause(size_t index) const {
  const SourceToken& token = tokens_->At(index);
  if (!token.first_on_line() || index == 0 || GoesOn(tokens_->TypeAt(index - 1))) return false;
  size_t type = token.getType();
  size_t next = tokens_->TypeAt(index + 1);
  if (type == P::IDENT) return next != P::DOT && next != P::COMMA && next != P::ASSIGN;
  return !Doubtful(type) && IsClauseHead(type, reader_);
}

size_t Recovery::NextClause(size_t begin, size_t at, size_t clause_rule) {
  size_t last = tokens_->size() - 1;
  size_t depth = 0;
  for (size_t i = begin; i < last; ++i) {
    size_t type = tokens_->TypeAt(i);
    if (i >= at && i > begin) {
      if (depth == 0 && Closes(type)) {
        if (type == P::RBRACE) return i;
        continue;  // a stray `)` belongs to what is cut out
      }
      if (LooksLikeDeclaration(i)) return i;
      if (depth == 0 && LooksLikeClause(i)) return i;
      // Inside an unclosed bracket only a whole clause at the start of a line is believed.
      bool candidate = depth == 0 || tokens_->At(i).first_on_line();
      if (candidate && work_ < kMaxWork && StartsClause(i, clause_rule, depth == 0)) return i;
    }
    if (Opens(type)) ++depth;
    if (Closes(type) && depth > 0) --depth;
  }
  return last;
}

// Closes the block that `open_brace` opened, before `index`. One message for a pile of missing
// braces.
bool Recovery::InsertBrace(size_t index, size_t open_brace, size_t from) {
  const SourceToken& token = tokens_->At(index);
  if (brace_reported_ != token.begin()) {
    Finding finding;
    finding.token = index;
    finding.message = token.getType() == antlr4::Token::EOF
                          ? "the file ends inside a block: a `}` is missing"
                          : fmt::format("a `}}` is missing before {}", Ticked(token.getText()));
    if (reports_ < kMaxReports) {
      Span brace = SpanAt(open_brace);
      sink_->ReportText(finding.code, SpanAt(index), finding.message)
          .Label(brace, "this `{` is never closed");
      ++reports_;
    } else if (!Report(finding)) {
      return false;
    }
    brace_reported_ = token.begin();
  }
  tokens_->InsertBefore(index, P::RBRACE);
  work_ += index - from;
  return true;
}

// A head that cannot be read, with its `{` still ahead on the line: leave out what does not fit, so
// that the block can be read for its own mistakes. Once per declaration.
bool Recovery::MendHead(size_t from, const Stop& stop) {
  bool block = std::any_of(stop.frames.begin(), stop.frames.end(),
                           [](const Frame& f) { return ClauseRuleOf(f.rule) != 0; });
  if (!block || head_mended_) return false;
  size_t brace = stop.token;
  while (brace + 1 < tokens_->size() && tokens_->TypeAt(brace) != P::LBRACE) {
    if (brace > from && tokens_->At(brace).first_on_line()) return false;
    ++brace;
  }
  if (brace + 1 >= tokens_->size()) return false;
  head_mended_ = true;
  if (stop.expected.contains(static_cast<ssize_t>(P::IDENT))) {
    tokens_->Erase(stop.token, brace);
    tokens_->InsertBefore(stop.token, P::IDENT);
  } else if (stop.expected.contains(static_cast<ssize_t>(P::STRING))) {
    tokens_->Erase(stop.token, brace);
    tokens_->InsertBefore(stop.token, P::STRING);
  } else {
    tokens_->Erase(stop.token, brace);
  }
  return true;
}

Recovery::Next Recovery::Mend(size_t from, const Stop& stop, size_t* resume) {
  work_ += stop.token - from + 1;
  size_t last = tokens_->size() - 1;
  if (work_ > kMaxWork) {
    sink_->Report(DPL0106, SpanAt(stop.token),
                  {"too many syntax errors in one declaration: the rest of the file was not read"});
    return Next::kGiveUp;
  }
  auto clause = std::find_if(stop.frames.begin(), stop.frames.end(),
                             [](const Frame& f) { return IsClauseRule(f.rule); });

  if (stop.too_deep) {
    Finding finding;
    finding.code = DPL0106;
    finding.token = stop.token;
    finding.message = "this expression is nested too deep to be read";
    finding.help.emplace_back("name parts of it with `function`, or use a set and `in`");
    if (!Report(finding)) return Next::kGiveUp;
  } else if (stop.in_block) {
    // The block expects a clause or its end.
    bool step = stop.frames[0].rule == P::RuleStep;
    size_t block = stop.frames[0].rule;
    size_t element = step ? size_t{P::RuleStep} : ClauseRuleOf(block);
    if (step && tokens_->TypeAt(stop.frames[0].start) == P::GIVEN) element = P::RuleDatum;
    if (stop.token == last || LooksLikeDeclaration(stop.token)) {
      return InsertBrace(stop.token, stop.open_brace, from) ? Next::kAgain : Next::kGiveUp;
    }
    // A step at the start of a line, inside `given { … }`, means that the facts were not closed.
    if (step && element == P::RuleDatum && tokens_->At(stop.token).first_on_line() &&
        StartsClause(stop.token, P::RuleStep, true)) {
      return InsertBrace(stop.token, stop.open_brace, from) ? Next::kAgain : Next::kGiveUp;
    }
    if (!Report(ExplainBlockMisfit(*tokens_, stop.token, block, element, reader_)))
      return Next::kGiveUp;
    size_t end = NextClause(stop.token, stop.token + 1, element);
    tokens_->Erase(stop.token, std::max(end, stop.token + 1));
    return Next::kAgain;
  } else if (clause != stop.frames.end() && LooksLikeDeclaration(clause->start)) {
    // `limit daily {` inside an unclosed grant reads like the beginning of a `limit` clause.
    auto block = clause + 1;
    size_t open = block->start;
    while (open < clause->start && tokens_->TypeAt(open) != P::LBRACE) ++open;
    return InsertBrace(clause->start, open, from) ? Next::kAgain : Next::kGiveUp;
  } else if (!Report(ExplainMisfit(*tokens_, stop, reader_))) {
    return Next::kGiveUp;
  }

  if (clause != stop.frames.end()) {
    size_t end = NextClause(clause->start, std::max(stop.token, clause->start + 1), clause->rule);
    tokens_->Erase(clause->start, std::max(end, clause->start + 1));
    return Next::kAgain;
  }
  if (MendHead(from, stop)) return Next::kAgain;
  // The head of a declaration, or a line of the file's head: go on after it.
  size_t at = std::max(stop.token, from + 1);
  size_t next = NextDeclaration(at);
  bool head_line = std::any_of(stop.frames.begin(), stop.frames.end(), [](const Frame& f) {
    return f.rule == P::RuleHeadLine || f.rule == P::RulePackageLine;
  });
  if (head_line) {
    at = stop.token;
    while (at < next &&
           !(tokens_->At(at).first_on_line() &&
             reader_->First(P::RuleHeadLine).contains(static_cast<ssize_t>(tokens_->TypeAt(at))))) {
      ++at;
    }
    *resume = std::max(at, from + 1);
    return Next::kSkip;
  }
  size_t depth = 0;
  for (size_t i = from; i < last; ++i) {
    size_t type = tokens_->TypeAt(i);
    if (i >= at && i == next && depth == 0) break;
    if (Opens(type)) ++depth;
    if (Closes(type) && depth > 0 && --depth == 0 && i >= stop.token && type == P::RBRACE) {
      *resume = i + 1;
      return Next::kSkip;
    }
  }
  *resume = std::max(next, from + 1);
  return Next::kSkip;
}

Recovery::Next Recovery::SkipToDeclaration(size_t at, size_t* resume) {
  if (!Report(ExplainTopLevelMisfit(*tokens_, at, reader_))) return Next::kGiveUp;
  size_t last = tokens_->size() - 1;
  size_t next = NextDeclaration(at + 1);
  // A block that follows, as in `grnat x { … }`, goes with it.
  size_t depth = 0;
  for (size_t i = at; i < last; ++i) {
    size_t type = tokens_->TypeAt(i);
    if (i == next && depth == 0) break;
    if (Opens(type)) ++depth;
    if (Closes(type) && depth > 0 && --depth == 0 && type == P::RBRACE) {
      *resume = i + 1;
      return Next::kSkip;
    }
  }
  *resume = next;
  return Next::kSkip;
}

}  // namespace dpl::syntax
