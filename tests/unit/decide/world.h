// A policy written in the test, facts as JSON, a store and a clock: what a test of decisions asks
// its questions in.
//
//   World w(kPolicy, kFacts);
//   EXPECT_EQ(w.Code(Ask().Person("E1").Does("read", "app.Doc", "d1")), "permit");
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/decide/duty.h"
#include "runtime/decide/engine.h"
#include "runtime/facts/snapshot.h"
#include "runtime/state/memory_store.h"

namespace dpl {

// One question, built up.
struct Ask {
  std::string subject_type = "person", subject_id;
  struct Hop {
    std::string agent, instance;
    std::optional<Instant> born;
    std::string issuer;
    bool is_person = false;
  };
  std::vector<Hop> hops;  // root first
  std::string action, type, id;
  std::string params, properties, context, subject_properties;  // JSON objects; empty: none
  std::string task, approval, key, break_glass, reason, ticket;
  uint8_t duties = kAllDuties;
  std::string issuer;  // of the subject
  std::optional<Instant> signed_in;
  bool dry_run = false, explain = false, clock_suspect = false;

  Ask& Person(std::string person) { return subject_id = std::move(person), *this; }
  Ask& Subject(std::string kind, std::string who) {
    return subject_type = std::move(kind), subject_id = std::move(who), *this;
  }
  Ask& Agent(std::string agent, std::string instance = {}) {
    return hops.push_back({std::move(agent), std::move(instance), {}, {}, false}), *this;
  }
  Ask& Deputy(std::string person) {
    Hop hop;
    hop.agent = std::move(person);
    hop.is_person = true;
    return hops.push_back(std::move(hop)), *this;
  }
  Ask& From(std::string iss) { return issuer = std::move(iss), *this; }
  Ask& HopFrom(std::string iss) { return hops.back().issuer = std::move(iss), *this; }
  Ask& Born(Instant born) { return hops.back().born = born, *this; }
  Ask& Does(std::string what, std::string kind, std::string which) {
    return action = std::move(what), type = std::move(kind), id = std::move(which), *this;
  }
  Ask& With(std::string json) { return params = std::move(json), *this; }
  Ask& Saying(std::string json) { return properties = std::move(json), *this; }
  Ask& In(std::string json) { return context = std::move(json), *this; }
  Ask& OfPerson(std::string json) { return subject_properties = std::move(json), *this; }
  Ask& Task(std::string name) { return task = std::move(name), *this; }
  Ask& Approval(std::string name) { return approval = std::move(name), *this; }
  Ask& Key(std::string name) { return key = std::move(name), *this; }
  Ask& Using(std::string door, std::string why = {}, std::string which = {}) {
    return break_glass = std::move(door), reason = std::move(why), ticket = std::move(which), *this;
  }
  Ask& Duties(uint8_t bits) { return duties = bits, *this; }
  Ask& SignedIn(Instant at) { return signed_in = at, *this; }
  Ask& Dry() { return dry_run = true, *this; }
  Ask& Explain() { return explain = true, *this; }
};

class World {
 public:
  explicit World(std::string_view policy, std::string_view facts = "{}",
                 std::string_view now = "2026-11-20T15:00Z");
  ~World();

  const Decision& Decide(const Ask& ask);
  const Decision& Decide(const Ask& ask, Scratch* scratch, Arena* arena);  // for threads
  std::string Code(const Ask& ask) { return std::string(ReasonCode(Decide(ask).reason)); }
  // The answer's JSON and the text for people, of the last decision.
  std::string Json(bool details = true);
  std::string Explanation();

  void Facts(std::string_view facts);    // new facts, the state stays; the test fails on an error
  void Policy(std::string_view policy);  // a reload: other policy, same facts and state
  void Seed(std::string_view facts);     // consents, tasks, hand-offs, used
  void Advance(int64_t us) { now = Instant{now.us + us}; }
  // Records that these people approved what the last decision asked for; the id of the record.
  std::string Approve(std::vector<std::string> approvers);
  int64_t UsedOf(std::string_view limit, std::string_view person = {},
                 std::string_view currency = {});

  uint32_t Statement(std::string_view name) const;
  std::string_view Name(uint32_t statement) const;
  // Names of the statements in Decision::by, in order, joined by ", ".
  std::string By() const;
  std::string Binding() const;  // name of the limit that binds

  Instant now;
  Caller caller = Caller::Everything("test");
  MemoryStore store;
  std::unique_ptr<Snapshot> snapshot;
  Scratch scratch;
  const Decision* last = nullptr;
  Request last_request;
  DecisionObserver* observer = nullptr;

 private:
  Request ToRequest(const Ask& ask, Arena* arena);
  std::shared_ptr<const Program> program_;
  std::string facts_;
  Arena arena_;
  std::unique_ptr<Ask> kept_;
  int approvals_ = 0;
};

// Compiles a policy; the test fails, with the diagnostics, when it is not right.
std::shared_ptr<const Program> CompilePolicy(std::string_view text);
// The diagnostics of a policy, one per line ("DPL0303 …"); empty when it is right.
std::string DiagnosticsOf(std::string_view text);

}  // namespace dpl
