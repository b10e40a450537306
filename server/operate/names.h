// Names as people write them, looked up in the policy and facts in force, with what was perhaps
// meant.
//
//   Name agent = FindAgentName(call.snapshot(), "summary_writer");
//   if (!agent.known) …  // agent.problem: "no agent is called `summary_writr`", agent.near: {…}
//   agent.full           // "acme.summary_writer", as the state knows it
//
// A name that nothing answers to is never taken silently: what would be recorded under it would
// take nothing away and give nobody anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/facts/snapshot.h"
#include "runtime/state/store.h"

namespace dpl {

struct Name {
  bool known = false;
  std::string full;               // as the state knows it; of an unknown one, as it was given
  std::string problem;            // of an unknown one, ends with the suggestions
  std::vector<std::string> near;  // at most three
  uint32_t index = kNone;         // of an agent: Program::agents; of a statement: its index
};

Name FindPersonName(const Snapshot& snapshot, std::string_view id);
// By qualified name, by the short one when only one has it, or by a runs-as id.
Name FindAgentName(const Snapshot& snapshot, std::string_view name);
Name FindStatementName(const Snapshot& snapshot, StatementKind kind, std::string_view name);
// Whatever a revocation can name, in the words of the API: `account` is "system:key", `instance`
// "agent/instance", `partner` "partner" or "partner/subject", `approval` a record's id or an
// approval statement.
Name FindRevocable(const Snapshot& snapshot, const StateStore& store, RevokedKind kind,
                   std::string_view name);

// `person` → kPerson; false: there is no such kind.
bool FindRevokedKind(std::string_view word, RevokedKind* kind);
std::string_view RevokedKindName(RevokedKind kind);
extern const char* const kRevokedKindWords;  // all of them, separated by blanks

// The person is known, active, and not revoked: `auth_time` is when they signed in, if that is
// known. Otherwise says why not.
std::string WhyNotActing(const Snapshot& snapshot, const StateStore& store, std::string_view id,
                         std::optional<Instant> auth_time);

// An id nobody will guess or meet again: "t_" and 16 characters.
std::string NewId(std::string_view prefix);

}  // namespace dpl
