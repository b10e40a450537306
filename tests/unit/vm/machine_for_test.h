// One expression, one environment, one value: what every test of the machine does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/bytecode/builtin.h"
#include "runtime/vm/machine.h"
#include "tests/unit/facts/policy_for_test.h"

namespace dpl {

using Words = std::vector<uint32_t>;

inline Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class MachineTest : public testing::Test {
 protected:
  // Facts for the runs that follow.
  void Facts(std::string json) { json_ = std::move(json); }
  void At(std::string_view instant) { env.now = dpl::At(instant); }

  // Joins policy and facts afresh (so that everything the test declared is in it) and runs the
  // words.
  Value Eval(const Words& words) {
    uint32_t code = policy.Code(words);
    Rebuild();
    return Run(code);
  }
  void Rebuild() {
    Result<std::unique_ptr<Snapshot>> joined = Join(policy, json_, dpl::At("2026-11-20T15:00Z"));
    ASSERT_TRUE(joined.ok()) << joined.error().message;
    snapshot = joined.take();
    machine = std::make_unique<Machine>(snapshot->program());
    ASSERT_TRUE(machine->ok()) << machine->error();
  }
  Value Run(uint32_t code) {
    env.snapshot = snapshot.get();
    env.arena = &arena;
    env.person = person.empty() ? nullptr : snapshot->FindPerson(person);
    env.resource = resource.empty() ? nullptr : snapshot->FindResource(resource_type, resource);
    env.abort = Abort::kNo;
    env.steps_left = 100'000;
    return machine->Run(code, &env);
  }

  // "5", "5.00 USD", "true", "⊥missing", "abort internal" …
  std::string Show(const Words& words) {
    Value v = Eval(words);
    switch (env.abort) {
      case Abort::kNo:
        break;
      case Abort::kBudget:
        return "abort budget";
      case Abort::kArena:
        return "abort arena";
      case Abort::kInternal:
        return "abort internal";
    }
    if (v.is_error()) return std::string("⊥") + ErrorKindName(v.error());
    std::string out;
    AppendValue(&out, v, snapshot->program().schema);
    return out;
  }

  static Words Push(uint32_t constant) { return {W(Opcode::kPushConst), constant}; }
  static Words Bottom(ErrorKind kind) {
    return {W(Opcode::kPushError), static_cast<uint32_t>(kind)};
  }
  static Words Op(Opcode op) { return {W(op)}; }
  static Words Op(Opcode op, uint32_t a) { return {W(op), a}; }
  static Words Op(Opcode op, uint32_t a, uint32_t b) { return {W(op), a, b}; }
  static Words Binary(const Words& a, const Words& b, Opcode op) { return a + b + Op(op); }

  PolicyForTest policy;
  Arena arena;
  Env env{.now = dpl::At("2026-11-20T15:00Z")};
  std::string person, resource;
  uint32_t resource_type = policy.doc;
  std::unique_ptr<Snapshot> snapshot;
  std::unique_ptr<Machine> machine;

 private:
  std::string json_ = "{}";
};

}  // namespace dpl
