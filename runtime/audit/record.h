// The audit record of one decision: who asked for what under whose authority, and why the answer
// was what it was. One JSON object in one line, described in docs/audit.md ("Decisions").
//
//   RecordWriter writer;   // one per thread
//   writer.Append(&line, snapshot, request, decision, {.evaluation_id = id, …});
//
// Values of parameters stand in it only under a `log` duty; otherwise their digest does, keyed so
// that nobody guesses them without the log's own key. Tokens, headers and idempotency keys are
// never in it; what limits count (amounts before and after) is.
//
// Appends to the caller's buffer. What a statement, clause, limit or agent looks like is rendered
// once, when it is first met; after that a record asks the heap for nothing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/decide/decision.h"

namespace dpl {

struct RecordContext {
  std::string_view evaluation_id;
  std::string_view request_id;  // X-Request-ID; empty: none
  std::string_view trace_id;    // of `traceparent`, in hex; empty: none
  std::string_view span_id;     // the caller's span in it
  int item = -1;                // of a batch
  // What is in force, as rendered by Publication::json (inputs.h): `"policy":"…","facts":"…",…`.
  std::string_view in_force;
  std::string_view digest_key;  // of the log: keys the digest of parameters
  std::string_view parameters;  // as AppendParameters writes them; empty: none
  int sealed_at = -1;  // the place of what a replay needs in the record of kind `sealed`; none
};

class AuditTerms;

class RecordWriter {
 public:
  // With `terms`, records refer to what many say alike (terms.h); they outlive the writer. Null:
  // each says all of it.
  explicit RecordWriter(AuditTerms* terms = nullptr);
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  void Append(std::string* out, const Snapshot& snapshot, const Request& request,
              const Decision& decision, const RecordContext& context);
  // With terms: the number of what is in force; 0: none is said.
  uint32_t NumberOf(const Snapshot& snapshot, std::string_view in_force);

 private:
  struct Fragments;
  AuditTerms* const terms_;
  std::unique_ptr<Fragments> fragments_;
  std::string text_;
};

// The record of a question of a registered caller that could not be read: nothing was decided.
struct RefusedQuestion {
  Instant time{};
  std::string_view caller, request_id;
  std::string_view trace_id, span_id;  // as in RecordContext
  int item = -1;
  int status = 400;
  std::string_view why;
};
void AppendRefusedRecord(std::string* out, const RefusedQuestion& refused);

// True when the policy says that this decision's values are to be kept: its permit is under a `log`
// duty, or rests on an emergency opening.
bool LogsValues(const Decision& decision);
// True when the answer may leave only after its record is synced: `log` duties, and whatever
// changed state.
bool WaitsForRecord(const Decision& decision);

// The end of a record: what is in force, the place of what is sealed, and the brace.
void AppendRecordEnd(std::string* out, uint32_t in_force, int sealed_at);

// Whether what a decision asked for was counted; and the amount that a counter holds then. Unset:
// it cannot be said.
bool ChargedAmounts(const Decision& decision);
Value AmountAfter(bool charged, const Value& used, const Value& requested);

// In hex: SHA-256 of the key and the text.
void AppendKeyedDigest(std::string* out, std::string_view key, std::string_view text);

// `{"amount":"4000.00 USD"}`: the declared parameters as they were sent, in declared order.
void AppendParameters(std::string* out, const Program& program, const Decision& decision,
                      const Request& request);

}  // namespace dpl
