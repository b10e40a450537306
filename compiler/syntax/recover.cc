// Mending the token list after a misfit.
#include "compiler/syntax/recover.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compiler/syntax/slips.h"
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

// The text of a keyword or sign that may be put in; empty for the rest.
std::string WordOf(size_t type) {
  switch (type) {
    case P::COLON:
      return ":";
    case P::LPAREN:
      return "(";
    case P::RPAREN:
      return ")";
    case P::LBRACE:
      return "{";
    case P::ASSIGN:
      return "=";
    case P::EQEQ:
      return "==";
    default:
      return KeywordText(type);
  }
}

size_t TypeOf(std::string_view text) {
  for (size_t type : {size_t{P::COLON}, size_t{P::ASSIGN}, size_t{P::EQEQ}}) {
    if (WordOf(type) == text) return type;
  }
  return KeywordType(text);
}

bool ClauseDeclares(size_t head) {
  return OneOf(head, std::array<size_t, 4>{P::HAS, P::CAN, P::MEASURE, P::WITHIN});
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
  if (tokens_->TypeAt(finding.token) == P::BAD_CHAR) return true;  // the lexer has said it
  return ReportAt(finding, SpanAt(finding.token));
}

bool Recovery::ReportAt(const Finding& finding, const Span& span) {
  if (reports_ == kMaxReports) {
    sink_->ReportText(
        DPL0106, span,
        fmt::format("more than {} syntax errors: the rest of the file was not read", kMaxReports));
  }
  if (reports_++ >= kMaxReports) return false;
  DiagnosticRef report = sink_->ReportText(finding.code, span, finding.message);
  for (const std::string& help : finding.help) report.Help(help);
  if (finding.mends) {
    if (finding.sure) report.Fix(mend_span_, finding.mend_text);
  } else if (!finding.replacement.empty()) {
    report.Fix(span, finding.replacement);
  }
  return true;
}

bool Recovery::Mends(size_t rule, size_t from, const Finding& finding, Stop* after) {
  std::vector<SourceToken*> before = tokens_->Live();
  uint32_t begin = tokens_->At(finding.mend_begin).begin();
  uint32_t end =
      finding.mend_end > finding.mend_begin ? tokens_->At(finding.mend_end - 1).end() : begin;
  mend_span_ = source_.MakeSpan(begin, end);
  tokens_->Replace(finding.mend_begin, finding.mend_end, finding.pieces);
  bool whole = reader_->Read(rule, from, after) != nullptr;
  work_ += (whole ? reader_->end() : after->token) - from + 1;
  if (whole) after->token = reader_->end();
  // What stood behind the mend must have been read.
  size_t behind = finding.mend_begin + finding.pieces.size();
  if (whole || after->token > behind ||
      (after->token == behind && finding.mend_end > finding.mend_begin && after->in_block))
    return true;
  tokens_->Restore(std::move(before));
  return false;
}

// One keyword or bracket (or `at most`) put in before the misfit, if there is just one that helps.
bool Recovery::MissingWords(size_t rule, size_t from, const Stop& stop, Finding* finding) {
  if (stop.in_block || stop.expected.size() > 8) return false;
  const SourceToken& token = tokens_->At(stop.token);
  size_t good = 0;
  Finding best;
  for (ssize_t type : stop.expected.toList()) {
    if (type <= 0) continue;
    auto wanted = static_cast<size_t>(type);
    bool sign = wanted == P::COLON || wanted == P::LPAREN || wanted == P::RPAREN ||
                wanted == P::LBRACE || wanted == P::ASSIGN;
    if (KeywordText(wanted).empty() && !sign) continue;
    if (sign && wanted != P::LBRACE && IsClauseHead(token.getType(), reader_)) continue;
    Finding put;
    put.token = put.mend_begin = put.mend_end = stop.token;
    put.mends = true;
    put.pieces.push_back({wanted, token.begin(), token.begin(), WordOf(wanted)});
    put.mend_text = WordOf(wanted);
    for (int more = 0; more < 3; ++more) {
      std::vector<SourceToken*> before = tokens_->Live();
      Stop after;
      if (Mends(rule, from, put, &after)) {
        tokens_->Restore(before);
        ++good;
        best = put;
        break;
      }
      // `lives 1h` wants `at`, and then `most`.
      bool again = after.token == stop.token + put.pieces.size() && after.expected.size() == 1 &&
                   !after.in_block;
      size_t next = again ? static_cast<size_t>(after.expected.toList()[0]) : 0;
      if (!again || WordOf(next).empty()) break;
      put.pieces.push_back({next, token.begin(), token.begin(), WordOf(next)});
      put.mend_text += (next == P::RPAREN ? "" : " ") + WordOf(next);
    }
  }
  if (good != 1) return false;
  best.message = fmt::format("`{}` is missing before {}", best.mend_text,
                             token.getType() == P::STRING ? "the text " + Ticked(token.getText())
                                                          : Ticked(token.getText()));
  best.mend_text += " ";
  *finding = std::move(best);
  return true;
}

// A word, text or `{` that stands beside its like, at the misfit or just before it; or fields of a
// fact without their `{`.
std::vector<Finding> Recovery::LikelySlips(const Stop& stop) const {
  std::vector<Finding> found;
  auto put = [&](size_t begin, size_t end, std::string message) {
    Finding& finding = found.emplace_back();
    finding.token = finding.mend_begin = begin;
    finding.mend_end = end;
    finding.mends = true;
    finding.message = std::move(message);
  };
  for (size_t token : {stop.token, stop.token - 1}) {
    if (token == 0 || token >= stop.token + 1) continue;
    const SourceToken& here = tokens_->At(token);
    const size_t type = here.getType();
    if (!IsWordType(type) && type != P::STRING && type != P::LBRACE) continue;
    const std::string text = here.getText();
    auto like = [&](size_t other) {
      return tokens_->TypeAt(other) == type && tokens_->At(other).getText() == text;
    };
    if (like(token - 1) || (token == stop.token && like(token + 1)))
      put(token, token + 1, fmt::format("{} stands here twice", Ticked(text)));
  }
  const bool fact = std::any_of(stop.frames.begin(), stop.frames.end(),
                                [](const Frame& f) { return f.rule == P::RuleDatum; });
  if (fact && tokens_->TypeAt(stop.token) == P::ASSIGN && stop.token > 0) {
    const SourceToken& field = tokens_->At(stop.token - 1);
    put(stop.token - 1, stop.token - 1,
        fmt::format("`{{` is missing before {}", Ticked(field.getText())));
    found.back().pieces = {{P::LBRACE, field.begin(), field.begin(), "{"}};
    found.back().mend_text = "{ ";
  }
  return found;
}

// Mends the tokens if the slip is a usual one. `slip` is what to say when it cannot be mended.
bool Recovery::TryMends(size_t rule, size_t from, const Stop& stop, std::optional<Finding>* slip,
                        bool* gave_up) {
  size_t last = tokens_->size() - 1;
  if (stop.too_deep || stop.token >= last || tokens_->TypeAt(stop.token) == P::BAD_CHAR)
    return false;
  if (work_ > kMaxWork / 2) return false;
  bool declaration = LooksLikeDeclaration(stop.token);
  if (declaration) return false;
  Finding finding;
  Stop after;
  Span span;  // where to report it: the mend moves the tokens
  for (const Finding& likely : LikelySlips(stop)) {
    span = SpanAt(likely.token);
    if (!Mends(rule, from, likely, &after)) continue;
    *gave_up = !ReportAt(likely, span);
    return true;
  }
  *slip = FindSlip(*tokens_, stop, reader_);
  if (slip->has_value()) {
    span = SpanAt((*slip)->token);
    if (!(*slip)->mends || !Mends(rule, from, **slip, &after)) return false;
    finding = **slip;
  } else {
    size_t block = stop.in_block ? stop.frames[0].rule : 0;
    bool step = block == P::RuleStep;
    size_t element = step ? size_t{P::RuleStep} : ClauseRuleOf(block);
    if (step && tokens_->TypeAt(stop.frames[0].start) == P::GIVEN) element = P::RuleDatum;
    finding = stop.in_block ? ExplainBlockMisfit(*tokens_, stop.token, block, element, reader_)
                            : ExplainMisfit(*tokens_, stop, reader_);
    size_t type = TypeOf(finding.replacement);
    span = SpanAt(finding.token);
    bool mended = false;
    if (type != 0 && finding.token == stop.token) {
      const SourceToken& token = tokens_->At(stop.token);
      finding.mends = true;
      finding.mend_begin = stop.token;
      finding.mend_end = stop.token + 1;
      finding.pieces = {{type, token.begin(), token.end(), finding.replacement}};
      finding.mend_text = finding.replacement;
      mended = Mends(rule, from, finding, &after);
    }
    if (!mended) {
      span = SpanAt(stop.token);
      if (!MissingWords(rule, from, stop, &finding) || !Mends(rule, from, finding, &after))
        return false;
    }
  }
  *gave_up = !ReportAt(finding, span);
  return true;
}

size_t Recovery::CutFrom(const Stop& stop, size_t clause_rule) {
  const SourceToken& token = tokens_->At(stop.token);
  size_t type = token.getType();
  bool own = token.first_on_line() || clause_rule == P::RuleDatum ||
             clause_rule == P::RuleResourceClause || clause_rule == P::RulePersonClause ||
             (IsWordType(type) && type != P::IDENT && IsClauseHead(type, reader_));
  if (own) return stop.token;
  for (size_t i = stop.open_brace + 1; i < stop.token && work_ < kMaxWork;) {
    Stop ignored;
    if (reader_->Read(clause_rule, i, &ignored) == nullptr) break;
    size_t end = reader_->end();
    work_ += end - i + 1;
    if (end >= stop.token) return i;
    i = std::max(end, i + 1);
  }
  return stop.token;
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

// The shape of a test's step, at the start of a line.
bool Recovery::BeginsStep(size_t index) {
  return tokens_->At(index).first_on_line() && StartsClause(index, P::RuleStep, true);
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

// A head declares, and inside of blocks what stands behind `has`, `can`, `measure`, `within`; other
// clauses only mention.
void Recovery::LeaveOut(size_t begin, size_t end, bool declares) {
  bool clause = ClauseDeclares(tokens_->TypeAt(begin));
  for (size_t i = begin; i < std::min(end, tokens_->size()); ++i) {
    size_t type = tokens_->TypeAt(i);
    if (ClauseDeclares(type)) {
      declares = clause = true;
    } else if (tokens_->At(i).first_on_line() && i > begin) {
      declares = LooksLikeDeclaration(i);
      clause = false;
    } else if (declares && i > begin && (Opens(type) || type == P::ASSIGN)) {
      declares = clause && type == P::LBRACE;  // `can share { days: int }`
    }
    if (declares && IsWordType(type)) unread_->push_back(tokens_->At(i).getText());
  }
}

void Recovery::Cut(size_t begin, size_t end, size_t clause_rule) {
  LeaveOut(begin, end,
           OneOf(clause_rule, std::array<size_t, 4>{P::RuleResourceClause, P::RulePersonClause,
                                                    P::RuleContextClause, P::RuleActivityClause}));
  tokens_->Erase(begin, end);
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
    LeaveOut(stop.token, brace, true);
    tokens_->Erase(stop.token, brace);
    tokens_->InsertBefore(stop.token, P::IDENT);
  } else if (stop.expected.contains(static_cast<ssize_t>(P::STRING))) {
    LeaveOut(stop.token, brace, true);
    tokens_->Erase(stop.token, brace);
    tokens_->InsertBefore(stop.token, P::STRING);
  } else {
    LeaveOut(stop.token, brace, true);
    tokens_->Erase(stop.token, brace);
  }
  return true;
}

Recovery::Next Recovery::Mend(size_t rule, size_t from, const Stop& stop, size_t* resume) {
  work_ += stop.token - from + 1;
  size_t last = tokens_->size() - 1;
  if (work_ > kMaxWork) {
    sink_->Report(DPL0106, SpanAt(stop.token),
                  {"too many syntax errors in one declaration: the rest of the file was not read"});
    return Next::kGiveUp;
  }
  auto clause = std::find_if(stop.frames.begin(), stop.frames.end(),
                             [](const Frame& f) { return IsClauseRule(f.rule); });
  std::optional<Finding> slip;
  bool gave_up = false;
  if (TryMends(rule, from, stop, &slip, &gave_up)) return gave_up ? Next::kGiveUp : Next::kRepaired;
  if (slip.has_value()) slip->mends = false;  // it did not help: say it, and cut

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
    if (step && element == P::RuleDatum && BeginsStep(stop.token)) {
      return InsertBrace(stop.token, stop.open_brace, from) ? Next::kAgain : Next::kGiveUp;
    }
    Finding finding = slip.has_value()
                          ? *slip
                          : ExplainBlockMisfit(*tokens_, stop.token, block, element, reader_);
    if (!Report(finding)) return Next::kGiveUp;
    size_t end = NextClause(stop.token, stop.token + 1, element);
    Cut(CutFrom(stop, element), std::max(end, stop.token + 1), element);
    return Next::kAgain;
  } else if (clause != stop.frames.end() && LooksLikeDeclaration(clause->start)) {
    // `limit daily {` inside an unclosed grant reads like the beginning of a `limit` clause.
    auto block = clause + 1;
    size_t open = block->start;
    while (open < clause->start && tokens_->TypeAt(open) != P::LBRACE) ++open;
    return InsertBrace(clause->start, open, from) ? Next::kAgain : Next::kGiveUp;
  } else if (clause != stop.frames.end() && clause->rule == P::RuleDatum &&
             clause + 1 != stop.frames.end() && (clause + 1)->rule == P::RuleStep &&
             BeginsStep(clause->start)) {
    // `row (…)` inside an unclosed `given {` reads like the beginning of a fact.
    return InsertBrace(clause->start, (clause + 1)->start + 1, from) ? Next::kAgain : Next::kGiveUp;
  } else if (!Report(slip.has_value() ? *slip : ExplainMisfit(*tokens_, stop, reader_))) {
    return Next::kGiveUp;
  }

  if (clause != stop.frames.end()) {
    size_t end = NextClause(clause->start, std::max(stop.token, clause->start + 1), clause->rule);
    Cut(clause->start, std::max(end, clause->start + 1), clause->rule);
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
  Finding finding = ExplainTopLevelMisfit(*tokens_, at, reader_);
  size_t type = KeywordType(finding.replacement);
  if (type != 0 && finding.token == at && work_ < kMaxWork / 2) {
    const SourceToken& token = tokens_->At(at);
    finding.mends = true;
    finding.mend_begin = at;
    finding.mend_end = at + 1;
    finding.pieces = {{type, token.begin(), token.end(), finding.replacement}};
    finding.mend_text = finding.replacement;
    Stop after;
    Span span = SpanAt(at);
    if (Mends(P::RuleDeclaration, at, finding, &after)) {
      *resume = at;
      return ReportAt(finding, span) ? Next::kSkip : Next::kGiveUp;
    }
    finding.mends = false;
  }
  if (!Report(finding)) return Next::kGiveUp;
  size_t last = tokens_->size() - 1;
  size_t next = NextDeclaration(at + 1);
  // A block that follows, as in `grnat x { … }`, goes with it.
  size_t depth = 0;
  for (size_t i = at; i < last; ++i) {
    size_t here = tokens_->TypeAt(i);
    if (i == next && depth == 0) break;
    if (Opens(here)) ++depth;
    if (Closes(here) && depth > 0 && --depth == 0 && here == P::RBRACE) {
      *resume = i + 1;
      return Next::kSkip;
    }
  }
  *resume = next;
  return Next::kSkip;
}

}  // namespace dpl::syntax
