// Random policies as text, the facts that go with them, and random requests.
//
//   Vocabulary v(&rng);
//   PolicyText policy = MakePolicy(&rng, v);  // declarations, some of which the checker may refuse
//   FactsInput facts = MakeFacts(&rng, v, start);
//   Ask ask = MakeAsk(&rng, v, facts.arena.get(), agents, tasks);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/instant.h"
#include "runtime/decide/request.h"
#include "runtime/facts/snapshot.h"
#include "tests/support/vocabulary.h"

namespace dpl::gen {

struct PolicyText {
  std::vector<std::string> head;    // package line and schema: always kept
  std::vector<std::string> blocks;  // statements: any of them may be dropped
  std::string Text() const;
};

PolicyText MakePolicy(Rng* rng, const Vocabulary& v);

// Persons, memberships, accounts, resources. Every policy name of MakePolicy exists.
FactsInput MakeFacts(Rng* rng, const Vocabulary& v, Instant now);
std::vector<FactsInput::Consent> MakeConsents(Rng* rng, const Vocabulary& v, Instant now,
                                              const Texts& delegations);
std::optional<FactsInput::Task> MakeTask(Rng* rng, const Vocabulary& v, const std::string& id,
                                         Instant now, Arena* arena, const Texts& shapes,
                                         const Texts& agents);

// One request in words; ToRequest gives it the form that Decide takes. Texts live in the arena of
// the case.
struct Ask {
  struct Hop {
    std::string agent, instance;
    bool is_person = false;
    std::string issuer;
  };
  std::string subject_type, subject_id, issuer;
  std::vector<Hop> hops;  // root first
  std::string type, id, action, task, approval, key;
  std::string break_glass, reason, ticket;
  uint8_t duties = 0;  // DutyBits
  WireValue params, said_person, said_resource, context;
  bool dry_run = false, clock_suspect = false;
  std::optional<int64_t> signed_in_us;  // before now
  int caller = 0;
};
Ask MakeAsk(Rng* rng, const Vocabulary& v, Arena* arena, const Texts& agents,
            const std::vector<FactsInput::Task>& tasks);
std::string Describe(const Ask& ask);
std::string DescribeWire(const WireValue& v);

}  // namespace dpl::gen
