// A generated world: facts, what the state starts from, and a list of events on it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/state/store.h"
#include "tests/support/compile.h"
#include "tests/support/gen.h"

namespace dpl::gen {

struct Event {
  enum class Kind {
    kAsk,
    kAdvance,
    kRevoke,
    kCancel,
    kConfirm,
    kApprove,
    kTask,
    kConsent
  } kind = Kind::kAsk;
  Ask ask;
  bool record_handoffs = true, handoff_in_task = false;
  bool with_approval = false;  // presents the last approval
  int64_t advance_us = 0;
  RevokedKind revoked = RevokedKind::kPerson;
  std::string name;                  // revoke
  std::optional<int64_t> before_us;  // cut-off, relative to now
  Texts approvers;
  FactsInput::Task task;  // opened at the event's time
  FactsInput::Consent consent;
};

struct World0 {  // facts and what the state starts from
  Instant start{};
  FactsInput facts;
  std::vector<FactsInput::Consent> consents;
  std::vector<Event> events;
};

// `asks` requests and what happens between them, on the statements that compiled.
World0 MakeWorld(Rng* rng, const Vocabulary& v, const Compiled& compiled, int asks);

// The request as Decide takes it; its texts are those of the ask. Nothing is said of births.
Request ToRequest(const Ask& ask, Instant now);

}  // namespace dpl::gen
