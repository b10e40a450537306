// A Decision as the JSON of an AuthZEN answer, and as sentences for people. Appends to the caller's
// buffer.
#pragma once

#include <string>
#include <string_view>

#include "runtime/decide/decision.h"

namespace dpl {

class AnswerPieces;

struct AnswerOptions {
  std::string_view evaluation_id;       // an input: equal inputs give equal bytes
  bool details = true;                  // reason_admin, statements, arithmetic, nearest miss
  std::string_view request_endpoint;    // where an `ask` can be requested; empty: leave
                                        // access_request.endpoint out
  const AnswerPieces* parts = nullptr;  // of the snapshot's program; null: made on the way
  std::string* text = nullptr;  // to compose in, of the caller; keeps its capacity. Null: its own
};
// {"decision":…,"context":{…}} — shape documented in docs/api.md.
void AppendAnswerJson(std::string* out, const Snapshot& snapshot, const Request& request,
                      const Decision& decision, const AnswerOptions& options);

// `{"obligations":[…]}`: what the enforcement point must do, as the answer's context says it.
// False, and nothing: there is none.
bool AppendObligationsJson(std::string* out, const Snapshot& snapshot, const Decision& decision);

// One line for a log or a test failure, then the indented rationale (statements with spans, limits,
// nearest miss, changes).
void AppendExplanation(std::string* out, const Snapshot& snapshot, const Request& request,
                       const Decision& decision);

// "the agent acme.summary.summary_writer, on behalf of person E1007, asked to read docs.Document
// "a1""
void AppendSentence(std::string* out, const Snapshot& snapshot, const Request& request,
                    const Decision& decision);

}  // namespace dpl
