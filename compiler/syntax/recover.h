// What to take out, or put in, so that reading can go on after a misfit: one message per clause, no
// consequences.
//
// A usual slip is mended in the token list when reading then gets further (slips.h): `=` becomes
// `==`, a misspelt keyword what it was meant to be, a forgotten `on` is put in. Any other
// clause that does not fit is cut out up to the next clause head and its declaration is read
// again; a `}` that is missing is put in; a declaration whose head cannot be read is skipped. The
// work this repeats is bounded. Internal to this room.
#pragma once

#include <optional>

#include "compiler/diag/sink.h"
#include "compiler/source/source_file.h"
#include "compiler/syntax/messages.h"
#include "compiler/syntax/reader.h"
#include "compiler/syntax/tokens.h"

namespace dpl::syntax {

class Recovery {
 public:
  // `unread` takes the words of all that is left out: whoever misses one of them misses what was
  // meant to be there.
  Recovery(const SourceFile& source, DiagnosticSink* sink, TokenList* tokens, RuleReader* reader,
           std::vector<std::string>* unread)
      : source_(source), sink_(sink), tokens_(tokens), reader_(reader), unread_(unread) {}

  enum class Next { kRepaired, kAgain, kSkip, kGiveUp };
  // After a failed reading of the unit (a declaration or head line) that begins at `from`.
  // kRepaired: what was meant stands in the tokens now, read it again. kAgain: the same, with
  // something left out. kSkip: go on at `*resume`. kGiveUp: too many errors.
  Next Mend(size_t rule, size_t from, const Stop& stop, size_t* resume);
  // Was the head of the declaration mended? Then its name is a guess and it is better left out.
  bool head_mended() const { return head_mended_; }
  void BeginUnit() { head_mended_ = false; }

  // Takes down the words that tokens [begin, end), which nobody will read, seem to declare;
  // `declares`: what the first line of them does.
  void LeaveOut(size_t begin, size_t end, bool declares);

  // At a token that begins no declaration. Where to go on; tokens_->size() - 1 is the end.
  Next SkipToDeclaration(size_t at, size_t* resume);

 private:
  Span SpanAt(size_t index) const;
  bool Report(const Finding& finding);  // false when the cap is reached
  bool ReportAt(const Finding& finding, const Span& span);
  // Whether reading `rule` from `from` gets beyond the mend; the mend stays in the tokens if so.
  bool Mends(size_t rule, size_t from, const Finding& finding, Stop* after);
  bool TryMends(size_t rule, size_t from, const Stop& stop, std::optional<Finding>* slip,
                bool* gave_up);
  std::vector<Finding> LikelySlips(const Stop& stop) const;
  bool MissingWords(size_t rule, size_t from, const Stop& stop, Finding* finding);
  // Where to cut when the clause before the misfit is likely a part of the mistake.
  size_t CutFrom(const Stop& stop, size_t clause_rule);
  bool LooksLikeDeclaration(size_t index) const;
  bool LooksLikeClause(size_t index) const;
  bool BeginsStep(size_t index);
  bool InsertBrace(size_t index, size_t open_brace, size_t from);
  // Where the next clause of the block begins, looking from `at` with brackets counted from
  // `begin`.
  size_t NextClause(size_t begin, size_t at, size_t clause_rule);
  bool StartsClause(size_t index, size_t clause_rule, bool sure);
  bool ReadsAs(size_t rule, size_t index);
  size_t NextDeclaration(size_t at) const;
  bool MendHead(size_t from, const Stop& stop);
  void Cut(size_t begin, size_t end, size_t clause_rule);  // takes out, and leaves out

  const SourceFile& source_;
  DiagnosticSink* sink_;
  TokenList* tokens_;
  RuleReader* reader_;
  std::vector<std::string>* unread_;
  size_t reports_ = 0;
  size_t work_ = 0;  // tokens read again because of errors
  bool head_mended_ = false;
  Span mend_span_;                        // what the mend last tried replaces
  uint32_t brace_reported_ = UINT32_MAX;  // byte a missing `}` was last reported at
};

}  // namespace dpl::syntax
