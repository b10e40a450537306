// Law: a bundle that was taken can be run. Every bit of a real policy's bundle is turned, with the
// digest made right again; what the loader takes is joined with facts, every code is run on an
// empty environment, and requests are decided. Nothing crashes, nothing reads outside its bounds
// (the sanitizer builds watch), and no decision meets a state that the proof should have excluded.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "compiler/testing/compile.h"
#include "runtime/bytecode/decode.h"
#include "runtime/bytecode/encode.h"
#include "runtime/decide/engine.h"
#include "runtime/state/memory_store.h"
#include "runtime/vm/machine.h"

namespace dpl {
namespace {

constexpr Instant kNow{int64_t{1'795'186'800} * 1'000'000};  // 2026-11-20T15:00Z

FactsInput Facts() {
  FactsInput facts;
  facts.arena = std::make_shared<Arena>();
  facts.persons.push_back({.id = "E1007"});
  FactsInput::Members buyers;
  buyers.is_role = true;
  buyers.name = "buyer";
  buyers.members.push_back({.id = "E1007"});
  facts.members.push_back(buyers);
  WireValue vendor;
  vendor.kind = WireValue::Kind::kString;
  vendor.text = "Paper Inc";
  FactsInput::Resource order;
  order.type = "shop.Order";
  order.id = "O1";
  order.fields.push_back({"vendor", vendor});
  facts.resources.push_back(order);
  return facts;
}

class Requests {
 public:
  Requests() {
    amount_.kind = WireValue::Kind::kString;
    amount_.text = "900.00 USD";
    member_ = {"amount", amount_};
    properties_.kind = WireValue::Kind::kObject;
    properties_.count = 1;
    properties_.members = &member_;
    for (bool agent : {false, true}) {
      for (const char* action : {"read", "approve"}) {
        Request& request = list.emplace_back();
        request.subject_type = "person";
        request.subject_id = "E1007";
        request.action = action;
        request.action_properties = &properties_;
        request.resource_type = "shop.Order";
        request.resource_id = "O1";
        request.explain = true;
        request.caller = &caller_;
        if (agent)
          request.hops[static_cast<size_t>(request.hop_count++)] = {"assistant", "run-1",
                                                                    std::nullopt};
      }
    }
  }
  std::vector<Request> list;

 private:
  Caller caller_ = Caller::Everything("test");
  WireValue amount_, properties_;
  WireMember member_;
};

struct Seen {
  int taken = 0, joined = 0, permits = 0, denies = 0;
};

void Try(std::shared_ptr<const Program> program, const Requests& requests, Scratch* scratch,
         Seen* seen) {
  ++seen->taken;
  Machine machine(*program);
  Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(program, Facts(), kNow);
  if (!snapshot.ok() || !machine.ok())
    return;  // a type or role got another name: these facts are not about it
  ++seen->joined;
  Arena arena;
  for (uint32_t code = 0; code < program->codes.size(); ++code) {
    arena.Reset();
    Env env;
    env.snapshot = snapshot->get();
    env.arena = &arena;
    machine.Run(code, &env);
    ASSERT_NE(env.abort, Abort::kInternal) << "code " << code;
  }
  MemoryStore store;
  for (const Request& request : requests.list) {
    const Decision& decision = Decide(**snapshot, &store, request, kNow, scratch);
    ASSERT_NE(decision.reason, Reason::kErrorInternal);
    ++(decision.outcome == OutcomeKind::kPermit ? seen->permits : seen->denies);
  }
}

TEST(HostileBundle, WhatIsTakenCanBeRun) {
  ::dpl::testing::Compilation compilation;
  ASSERT_TRUE(
      ::dpl::testing::LoadSources({DPL_SOURCE_DIR "/policies/quickstart"}, &compilation.sources)
          .ok());
  ASSERT_TRUE(::dpl::testing::Compile({}, &compilation));
  Requests requests;
  Scratch scratch;
  Seen whole;
  Try(compilation.program, requests, &scratch, &whole);
  EXPECT_EQ(whole.permits, 4);

  const std::string good = EncodeBundle(*compilation.program);
  Seen seen;
  for (size_t bit = 0; bit < good.size() * 8 && !HasFatalFailure(); ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    RepairDigestForTest(&bad);
    Result<Program> program = DecodeBundle(bad);
    if (!program.ok()) continue;
    SCOPED_TRACE("bit " + std::to_string(bit));
    Try(std::make_shared<const Program>(program.take()), requests, &scratch, &seen);
  }
  EXPECT_GT(seen.joined, 100);
  EXPECT_GT(seen.permits, 0);
  EXPECT_GT(seen.denies, 0);
}

}  // namespace
}  // namespace dpl
