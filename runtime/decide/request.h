// What an enforcement point asks, before it is typed: texts and WireValues that live in the
// caller's buffers.
//
// Made by wire_request.h (AuthZEN JSON), by `dplc test` and by the generators; step 1 of decide
// types it against the schema. A Request owns nothing; everything must outlive the call of Decide.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/instant.h"
#include "runtime/base/wire.h"

namespace dpl {

// How much of the rationale an answer tells, least first (docs/api.md, "How much is told").
enum class Explain : uint8_t { kNone, kReason, kFull, kTrace };
bool FindExplain(std::string_view name, Explain* out);  // "none", "reason", "full", "trace"
std::string_view ExplainName(Explain level);

// What a registered enforcement point may do; every default is no (docs/semantics.md, "Who is
// asking").
struct Caller {
  std::string name = "anonymous";
  bool serves_persons = false;  // its requests without an actor are proven direct use by a person
  bool asserts_actors = false;  // may name the agent chain
  bool asserts_instances = false;  // may name instance id and birth; silence means a fresh run
  bool asserts_all_partners = false, trusts_all_issuers = false;
  std::vector<std::string> partners;  // whose subjects it may name, by their qualified names
  std::vector<std::string> issuers;   // those of our own directory, where it passes on an `iss`
  bool asserts_all_attributes = false;
  std::vector<std::string>
      asserts;  // "person.role", "app.Doc.owner", "context.ip": attributes it may supply
  bool charge_keys = false;      // runs each reservation once: its idempotency keys count
  bool request_id_keys = false;  // X-Request-ID counts as such a key
  bool dry_run = false;
  bool search = false;
  bool details = false;                        // may see reason_admin and the full rationale
  Explain explain = Explain::kTrace;           // the most it is ever told
  std::vector<std::string> duties;             // duties it carries out, by name (duty.h)
  static Caller Everything(std::string name);  // development and tests: all of the above
};

constexpr int kMaxHops = 8;
constexpr int kMaxEvidence = 4;  // approvals presented with one request

// All of a Request but its chain.
struct RequestWords {
  std::string_view subject_type, subject_id;
  const WireValue* subject_properties = nullptr;  // object or null
  std::string_view subject_issuer;                // whose token names the subject; empty: not said
  std::optional<Instant>
      signed_in;  // when the person's session began, if that is verified: for cut-off revocations
  int hop_count = 0;
  bool too_many_hops = false;
  bool actor_conflict = false;  // the places that may name the actor disagree
  std::string_view action;
  const WireValue* action_properties = nullptr;
  std::string_view resource_type, resource_id;
  const WireValue* resource_properties = nullptr;
  const WireValue* context = nullptr;
  std::string_view task;                                 // id; empty: none
  std::array<std::string_view, kMaxEvidence> approvals;  // ids of the approval records presented
  int approval_count = 0;
  std::string_view charge_key;  // idempotency key; empty: none
  bool dry_run = false;
  bool clock_suspect =
      false;  // the wall clock cannot be trusted: no metered permit (runtime/state/clock_guard.h)
  bool unrecordable = false;  // the audit log takes no record: denied before anything is charged
  bool explain = false;       // evaluate the steps after the first failure for the report
  Explain level = Explain::kFull;  // how much is told, of what the caller may be told
  std::string_view break_glass;    // the emergency door it names; empty: none
  std::string_view break_glass_reason, break_glass_ticket;  // what is said to open it
  uint8_t duties = 0;  // DutyBits that the enforcement point commits to for this request (duty.h)
  std::string_view
      malformed;  // not empty: step 1 fails with this text (a decoder met a wrong shape)
  const Caller* caller = nullptr;  // never null

  // One more approval presented; false when there is no room.
  bool Present(std::string_view id) {
    if (approval_count == kMaxEvidence) return false;
    approvals[static_cast<size_t>(approval_count++)] = id;
    return true;
  }
};

struct Request : RequestWords {
  struct Hop {
    std::string_view agent;       // qualified or short template name, or a runs-as id
    std::string_view instance;    // empty: a fresh run (if the caller may assert that)
    std::optional<Instant> born;  // absent: now for an instance never seen, else what is recorded
    std::string_view issuer;      // whose name space the hop's name is of; empty: not said
    bool is_person = false;       // a person acting for the subject: `agent` is that person's key
  };
  // Root first: h₁ … hₙ; the last one acts. What stands behind `hop_count` means nothing.
  std::array<Hop, kMaxHops> hops;

  // As a new one, but for what means nothing.
  void Clear() { static_cast<RequestWords&>(*this) = RequestWords(); }
};

}  // namespace dpl
