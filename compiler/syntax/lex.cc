// The generated lexer, driven; and the messages for slips of a single token.
#include "compiler/syntax/lex.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "compiler/syntax/messages.h"
#include "compiler/syntax/text_check.h"
#include "compiler/syntax/words.h"
#include "runtime/base/instant.h"
#include "runtime/base/text.h"

namespace dpl::syntax {
namespace {

class Reader {
 public:
  Reader(const SourceFile& source, DiagnosticSink* sink, TokenList* tokens,
         std::vector<Comment>* comments)
      : source_(source), text_(source.text()), sink_(sink), tokens_(tokens), comments_(comments) {}

  bool Run(LexTable* table) {
    size_t at = text_.starts_with("\xef\xbb\xbf") ? 3 : 0;
    while (at < text_.size()) {
      LexTable::Match match = table->Next(text_, at);
      if (match.type != DplLexer::BLANK)
        Take(match.type, static_cast<uint32_t>(at), static_cast<uint32_t>(match.end));
      at = match.end;
    }
    tokens_->Finish();
    ReportSemicolons();
    return CheckNesting();
  }

 private:
  std::string_view TextOf(uint32_t begin, uint32_t end) const {
    return std::string_view(text_).substr(begin, end - begin);
  }
  std::string Ticked(uint32_t begin, uint32_t end) const {
    return dpl::syntax::Ticked(TextOf(begin, end));
  }

  void Append(size_t type, uint32_t begin, uint32_t end, std::string mended = {}) {
    std::string_view gap = TextOf(last_end_, begin);
    bool first_on_line =
        tokens_->size() == 0 || gap.find_first_of("\r\n") != std::string_view::npos;
    tokens_->Append(type, begin, end, first_on_line, std::move(mended));
    last_end_ = end;
  }

  // What was reported but cannot be guessed: no rule takes this token, so the clause it stands in
  // is left out without a further word.
  void Poison(uint32_t begin, uint32_t end) {
    Append(DplLexer::BAD_CHAR, begin, end);
    skip_to_ = std::max(skip_to_, end);
  }

  void Take(size_t type, uint32_t begin, uint32_t end) {
    if (begin < skip_to_) return;
    if (type == DplLexer::MINUS &&
        TextOf(begin, std::min<uint32_t>(begin + 2, static_cast<uint32_t>(text_.size()))) == "--")
      return ForeignComment(begin, begin + 2);
    switch (type) {
      case DplLexer::DOC_COMMENT:
        return AddComment(
            TextOf(begin, end).starts_with("////") ? Comment::Kind::kLine : Comment::Kind::kDoc,
            begin, end);
      case DplLexer::LINE_COMMENT:
        return AddComment(Comment::Kind::kLine, begin, end);
      case DplLexer::BLOCK_COMMENT:
        return AddComment(Comment::Kind::kBlock, begin, end);
      case DplLexer::BAD_COMMENT:
        sink_->Report(DPL0004, source_.MakeSpan(begin, begin + 2), {"comment"})
            .Help("close it with `*/`");
        return;
      case DplLexer::BAD_STRING:
        sink_->Report(DPL0004, source_.MakeSpan(begin, end), {"text"})
            .Help("close it with `\"` on the same line; a line break inside is written `\\n`");
        return Append(DplLexer::STRING, begin, end);
      case DplLexer::BAD_QUOTES:
        return BadQuotes(begin, end);
      case DplLexer::BAD_AND:
        return Operator(DplLexer::AND, "and", begin, end);
      case DplLexer::BAD_OR:
        return Operator(DplLexer::OR, "or", begin, end);
      case DplLexer::BAD_NOT:
        return Operator(DplLexer::NOT, "not", begin, end);
      case DplLexer::BAD_SEMI:
        semicolons_.push_back(begin);
        return;
      case DplLexer::BAD_CHAR:
        return BadCharacter(begin, end);
      case DplLexer::BAD_NUMBER:
        return BadNumber(begin, end);
      case DplLexer::BAD_DATETIME:
        sink_
            ->Report(DPL0006, source_.MakeSpan(begin, end),
                     {fmt::format("{} is not a date-time", Ticked(begin, end))})
            .Help(
                "write date, time and offset, as in `2026-11-20T15:00Z` or "
                "`2026-11-20T15:00-05:00`");
        return Poison(begin, end);
      case DplLexer::NUMBER:
        if (ForeignDate(begin) || ForeignTime(begin) || GroupedNumber(begin)) return;
        CheckLiteral(source_, type, begin, end, sink_);
        break;
      case DplLexer::STRING:
        CheckMixedScript(source_, begin, end, sink_);
        break;
      default:
        CheckLiteral(source_, type, begin, end, sink_);
        break;
    }
    if (bad_word_ && begin == bad_end_ && IsWordType(type)) {  // the rest of `naïve`
      bad_end_ = end;
      return;
    }
    Append(type, begin, end);
  }

  // One message for all of a file.
  void ReportSemicolons() {
    if (semicolons_.empty()) return;
    DiagnosticRef report = sink_->ReportText(
        DPL0101, source_.MakeSpan(semicolons_[0], semicolons_[0] + 1), "`;` is not used");
    report.Help("a clause ends where the next keyword begins: leave out every `;` of this file");
    for (uint32_t at : semicolons_)
      report.Fix(source_.MakeSpan(at, at + 1), "", "leave out every `;`");
  }

  // `# …` and `-- …` as other languages write comments: said once per line, the line is left out.
  void ForeignComment(uint32_t begin, uint32_t end) {
    Span mark = source_.MakeSpan(begin, end);
    sink_->ReportText(DPL0101, mark, fmt::format("{} does not begin a comment", Ticked(begin, end)))
        .Help("comments are written `// …`")
        .Fix(mark, "//");
    size_t line_end = text_.find_first_of("\r\n", begin);
    skip_to_ = static_cast<uint32_t>(line_end == std::string::npos ? text_.size() : line_end);
  }

  void AddComment(Comment::Kind kind, uint32_t begin, uint32_t end) {
    size_t line = text_.find_last_of("\r\n", begin == 0 ? 0 : begin - 1);
    size_t from = line == std::string::npos || begin == 0 ? 0 : line + 1;
    bool own_line = TextOf(static_cast<uint32_t>(from), begin).find_first_not_of(" \t") ==
                    std::string_view::npos;
    while (end > begin && kind != Comment::Kind::kBlock &&
           (text_[end - 1] == ' ' || text_[end - 1] == '\t'))
      --end;
    comments_->push_back({kind, begin, end, own_line});
  }

  void Operator(size_t type, std::string_view word, uint32_t begin, uint32_t end) {
    sink_
        ->ReportText(DPL0101, source_.MakeSpan(begin, end),
                     fmt::format("{} is written `{}`", Ticked(begin, end), word))
        .Fix(source_.MakeSpan(begin, end), fmt::format(" {} ", word));
    Append(type, begin, end);
  }

  // 'text' and “text”
  void BadQuotes(uint32_t begin, uint32_t end) {
    size_t mark = text_[begin] == '\'' ? 1 : 3;  // bytes of a quotation mark
    Span span = source_.MakeSpan(begin, end);
    sink_->ReportText(DPL0101, span, "texts are written in straight double quotes")
        .Fix(span, fmt::format("\"{}\"", TextOf(begin, end).substr(mark, end - begin - 2 * mark)));
    Append(DplLexer::STRING, begin, end);
  }

  void BadCharacter(uint32_t begin, uint32_t end) {
    if (text_[begin] == '#') return ForeignComment(begin, end);
    bool run = begin == bad_end_;  // the rest of a word already reported
    bad_end_ = end;
    size_t at = begin;
    char32_t c = NextCodePoint(text_, &at);
    // A letter that is not ASCII makes a bad name, but a name.
    bool letter = c >= 0xc0 && c < 0x2000;
    bool glued = tokens_->size() > 0 && last_end_ == begin &&
                 IsWordType(tokens_->TypeAt(tokens_->size() - 1));
    if (letter && !run && !glued) Append(DplLexer::IDENT, begin, end);
    bad_word_ = letter && (!run || bad_word_);
    if (c == '$' || c == 0x20ac || c == 0xa3) {
      if (SignedAmount(c, begin, end)) return;
    }
    bool reported =
        HasControl(TextOf(begin, end)) || IsBidiOrInvisible(c);  // CheckText has named it
    if (run || reported) return;
    if (!letter) Poison(begin, end);
    DiagnosticRef report =
        sink_->ReportText(DPL0101, source_.MakeSpan(begin, end),
                          fmt::format("{} is not part of the language", Ticked(begin, end)));
    switch (c) {
      case '$':
        report.Help("money is written with its currency after the number, as in `5_000 USD`");
        break;
      case '/':
        report.Help("there is no division: multiply the other side; comments are written `// …`");
        break;
      case '%':
        report.Help("there are no percentages and no remainders: write the number out");
        break;
      case '\'':
        report.Help("texts are written in straight double quotes");
        break;
      default:
        if (c >= 0x80)
          report.Help(
              "names are ASCII letters, digits and `_`; other text goes into \"…\" or a comment");
    }
  }

  // `31/12/2027`, `31.12.2027`, `2027/12/31`, `2027-1-5`
  bool ForeignDate(uint32_t begin) {
    uint32_t at = begin;
    auto digits = [&] {
      uint32_t from = at;
      while (at < text_.size() && text_[at] >= '0' && text_[at] <= '9') ++at;
      return TextOf(from, at);
    };
    std::string_view part[3];
    part[0] = digits();
    char sign = at < text_.size() ? text_[at] : '\0';
    if (sign != '/' && sign != '.' && sign != '-') return false;
    for (int i = 1; i < 3; ++i) {
      if (at >= text_.size() || text_[at] != sign) return false;
      ++at;
      part[i] = digits();
    }
    auto small = [](std::string_view d) { return !d.empty() && d.size() <= 2; };
    bool year_first = part[0].size() == 4 && small(part[1]) && small(part[2]);
    bool year_last = part[2].size() == 4 && small(part[0]) && small(part[1]);
    if (!year_first && !year_last) return false;
    auto number = [](std::string_view d) { return std::atoi(std::string(d).c_str()); };
    int year = number(part[year_first ? 0 : 2]), month = number(part[1]),
        day = number(part[year_first ? 2 : 0]);
    bool sure = year_first || sign == '.' || day > 12;  // 31/12 can only be a day and a month
    if (year_last && month > 12 && day <= 12) {         // 12/31
      std::swap(month, day);
      sure = true;
    }
    std::string iso = fmt::format("{:04}-{:02}-{:02}", year, month, day);
    if (!ParseDate(iso).ok()) return false;
    DiagnosticRef report = sink_->Report(DPL0006, source_.MakeSpan(begin, at),
                                         {fmt::format("{} is not a date", Ticked(begin, at))});
    skip_to_ = at;
    if (!sure) {
      report.Help(fmt::format("dates are written year, month, day: `{}` or `{:04}-{:02}-{:02}`",
                              iso, year, day, month));
      Poison(begin, at);
      return true;
    }
    report.Help(fmt::format("dates are written year, month, day: `{}`", iso))
        .Fix(source_.MakeSpan(begin, at), iso);
    Append(DplLexer::DATE, begin, at, iso);
    return true;
  }

  // `9:00`, `9:00am`
  bool ForeignTime(uint32_t begin) {
    uint32_t at = begin;
    while (at < text_.size() && text_[at] >= '0' && text_[at] <= '9') ++at;
    if (at - begin > 2 || at + 2 >= text_.size() || text_[at] != ':') return false;
    std::string_view minutes = TextOf(at + 1, at + 3);
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!digit(minutes[0]) || !digit(minutes[1])) return false;
    int hour = std::atoi(std::string(TextOf(begin, at)).c_str());
    uint32_t end = at + 3;
    uint32_t letters = end;
    while (letters < text_.size() && std::isalpha(static_cast<unsigned char>(text_[letters])) != 0)
      ++letters;
    ClockTime(begin, letters, hour, minutes, TextOf(end, letters));
    return true;
  }

  void ClockTime(uint32_t begin, uint32_t end, int hour, std::string_view minutes,
                 std::string_view half) {
    if ((half == "pm" || half == "PM") && hour < 12) hour += 12;
    if ((half == "am" || half == "AM") && hour == 12) hour = 0;
    std::string time = fmt::format("{:02}:{}", hour, minutes);
    Span span = source_.MakeSpan(begin, end);
    DiagnosticRef report =
        sink_->Report(DPL0006, span, {fmt::format("{} is not a time of day", Ticked(begin, end))});
    skip_to_ = end;
    if (!ParseTime(time).ok()) {
      report.Help("times of day run from `00:00` to `23:59`");
      return Poison(begin, end);
    }
    report.Help(fmt::format("write `{}`", time)).Fix(span, time);
    Append(DplLexer::TIME, begin, end, time);
  }

  // The digits of `5,000.00` from `begin`, without its commas; empty when it is no such number.
  std::string Grouped(uint32_t begin, uint32_t* end) const {
    uint32_t at = begin;
    auto digit = [&](uint32_t i) { return i < text_.size() && text_[i] >= '0' && text_[i] <= '9'; };
    std::string plain;
    while (digit(at)) plain += text_[at++];
    if (plain.empty() || plain.size() > 3) return {};
    bool grouped = false;
    while (at < text_.size() && text_[at] == ',' && digit(at + 1) && digit(at + 2) &&
           digit(at + 3) && !digit(at + 4)) {
      plain += '_';
      plain += text_.substr(at + 1, 3);
      at += 4;
      grouped = true;
    }
    if (!grouped) return {};
    if (at + 1 < text_.size() && text_[at] == '.' && digit(at + 1)) {
      plain += text_[at++];
      while (digit(at)) plain += text_[at++];
    }
    *end = at;
    return plain;
  }

  // `5,000 USD`. Elsewhere a comma may stand between two numbers.
  bool GroupedNumber(uint32_t begin) {
    uint32_t end = begin;
    std::string plain = Grouped(begin, &end);
    if (plain.empty()) return false;
    uint32_t after = end;
    while (after < text_.size() && text_[after] == ' ') ++after;
    auto capital = [&](uint32_t i) {
      return i < text_.size() && text_[i] >= 'A' && text_[i] <= 'Z';
    };
    bool currency = capital(after) && capital(after + 1) && capital(after + 2);
    bool bound = tokens_->size() > 0 && tokens_->TypeAt(tokens_->size() - 1) == DplLexer::TO;
    if (!currency && !bound) return false;
    Span span = source_.MakeSpan(begin, end);
    sink_->Report(DPL0006, span, {fmt::format("{} is not a number", Ticked(begin, end))})
        .Help(fmt::format("digits are grouped with `_`: `{}`", plain))
        .Fix(span, plain);
    skip_to_ = end;
    Append(DplLexer::NUMBER, begin, end, plain);
    return true;
  }

  // `$5,000`, `€500`
  bool SignedAmount(char32_t sign, uint32_t begin, uint32_t end) {
    uint32_t stop = end;
    std::string plain = Grouped(end, &stop);
    if (plain.empty()) {
      while (stop < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[stop])) != 0 ||
                                     text_[stop] == '_' || text_[stop] == '.'))
        plain += text_[stop++];
    }
    if (plain.empty() || std::isdigit(static_cast<unsigned char>(plain[0])) == 0) return false;
    Span span = source_.MakeSpan(begin, stop);
    const char* code = sign == 0x20ac ? "EUR" : sign == 0xa3 ? "GBP" : "USD";
    DiagnosticRef report =
        sink_->ReportText(DPL0101, span, fmt::format("{} is not an amount", Ticked(begin, stop)));
    report.Help(fmt::format("money is a number and its currency: `{} {}`", plain, code));
    skip_to_ = stop;
    if (sign == '$') {
      report.Help("`$` may be any of twenty currencies, so it is not guessed");
    } else {
      report.Fix(span, plain + " " + code);
    }
    Append(DplLexer::NUMBER, begin, stop, plain);
    Append(DplLexer::CURRENCY, stop, stop, code);
    return true;
  }

  // Digits that run into letters: say which of the usual slips it is, and go on with what was
  // meant.
  void BadNumber(uint32_t begin, uint32_t end) {
    std::string_view text = TextOf(begin, end);
    size_t digits = text.find_first_not_of("0123456789_.");
    if (digits == std::string_view::npos) {  // `1.5_000`
      sink_
          ->Report(DPL0006, source_.MakeSpan(begin, end),
                   {fmt::format("{} is not a number", Ticked(begin, end))})
          .Help("`_` stands between two digits before the point, as in `5_000.25`");
      return Append(DplLexer::NUMBER, begin, end);
    }
    std::string_view letters = text.substr(digits);
    Span span = source_.MakeSpan(begin, end);
    if (letters == "am" || letters == "pm" || letters == "AM" || letters == "PM" ||
        letters == "Uhr" || letters == "h00") {
      int hour = std::atoi(std::string(text.substr(0, digits)).c_str());
      return ClockTime(begin, end, hour, "00", letters);
    }
    std::string message = fmt::format("{} is not a number", Ticked(begin, end));
    bool capitals =
        std::all_of(letters.begin(), letters.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    uint32_t split = begin + static_cast<uint32_t>(digits);
    if (letters.size() == 3 && capitals) {
      sink_->Report(DPL0006, span, {message})
          .Help(fmt::format("put a blank before the currency: `{} {}`", text.substr(0, digits),
                            letters))
          .Fix(source_.MakeSpan(split, split), " ");
      Append(DplLexer::NUMBER, begin, split);
      return Append(DplLexer::CURRENCY, split, end);
    }
    bool unit = std::string_view("smhdwy").find(letters[0]) != std::string_view::npos;
    if (unit && !text.starts_with("0x")) {
      sink_->Report(DPL0006, span, {fmt::format("{} is not a duration", Ticked(begin, end))})
          .Help("a duration is written as `90d`, `2h30m` or `500ms`, with the units w d h m s ms");
      return Append(DplLexer::DURATION, begin, end);
    }
    auto report = sink_->Report(DPL0006, span, {message});
    if (letters == "K" || letters == "k" || letters == "M") {
      std::string zeros = letters == "M" ? "_000_000" : "_000";
      std::string_view before = text.substr(0, digits);
      if (before.find_first_of("._") == std::string_view::npos) {
        report.Help(fmt::format("write the number out: `{}{}`", before, zeros))
            .Fix(span, fmt::format("{}{}", before, zeros));
      } else {
        report.Help("write the number out");
      }
    } else {
      report.Help("numbers are written as `5_000` or `0.25`; names begin with a letter");
    }
    Append(DplLexer::NUMBER, begin, split);
  }

  // ANTLR recurses into brackets, and so does everything after it: bound them here, before any of
  // that begins.
  bool CheckNesting() {
    size_t depth = 0;
    size_t sets = 0;
    for (size_t i = 0; i + 1 < tokens_->size(); ++i) {
      size_t type = tokens_->TypeAt(i);
      if (type == DplLexer::LBRACE || type == DplLexer::LPAREN || type == DplLexer::LBRACK) ++depth;
      if ((type == DplLexer::RBRACE || type == DplLexer::RPAREN || type == DplLexer::RBRACK) &&
          depth > 0)
        --depth;
      bool set = type == DplLexer::SET && tokens_->TypeAt(i + 1) == DplLexer::LT;
      if (set) {
        ++sets;
        ++i;
      } else {
        sets = 0;
      }
      if (depth <= kMaxNesting && sets <= kMaxNesting) continue;
      const SourceToken& token = tokens_->At(i);
      sink_->Report(DPL0106, source_.MakeSpan(token.begin(), token.end()),
                    {fmt::format("brackets are nested deeper than {}", kMaxNesting)});
      return false;
    }
    return true;
  }

  const SourceFile& source_;
  const std::string& text_;
  DiagnosticSink* sink_;
  TokenList* tokens_;
  std::vector<Comment>* comments_;
  uint32_t last_end_ = 0;
  uint32_t bad_end_ = UINT32_MAX;
  bool bad_word_ = false;  // the bytes before bad_end_ are part of a name
  uint32_t skip_to_ = 0;   // what begins before this byte is left out
  std::vector<uint32_t> semicolons_;
};

}  // namespace

bool Lex(const SourceFile& source, DiagnosticSink* sink, LexTable* table, TokenList* tokens,
         std::vector<Comment>* comments) {
  if (!CheckText(source, sink)) {
    tokens->Finish();
    return false;
  }
  return Reader(source, sink, tokens, comments).Run(table);
}

}  // namespace dpl::syntax
