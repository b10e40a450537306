// The virtual machine: runs one Code of a verified Program over an environment and gives its value
// (maybe ⊥).
//
// An abort (step budget, arena, impossible state) is not a value: no operator can see it; the
// caller must end the decision with deny error.*. No heap allocation, no recursion, no clock: time
// is Env::now. One Machine per thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "runtime/base/arena.h"
#include "runtime/base/instant.h"
#include "runtime/bytecode/program.h"
#include "runtime/facts/snapshot.h"
#include "runtime/facts/value.h"

namespace dpl {

enum class Abort : uint8_t { kNo, kBudget, kArena, kInternal };

// Everything an expression may ask about. Pointers may be null where the request has no such thing
// (⊥missing then).
struct Env {
  const Snapshot* snapshot = nullptr;
  Arena* arena = nullptr;
  Instant now{};
  const Entity* person = nullptr;  // request attributes already laid over the facts
  bool person_active = false;
  const Entity* resource = nullptr;  // request attributes already laid over the facts
  bool public_caller = false;
  std::span<const uint32_t> chain;  // agents, h₁ … hₙ
  bool standing = false;            // no person: h₁ is the root
  uint32_t partner = kNone;         // Program::partners: whose subject asks; no person then
  bool partner_agents = false;      // … through agents of its own
  const ActionDef* action = nullptr;
  const Value* params = nullptr;       // parallel to action->params; kUnset: absent
  const Value* context = nullptr;      // parallel to schema.context
  const Value* task_params = nullptr;  // parallel to the task shape's params; null: no task
  uint32_t task_param_count = 0;
  int64_t steps_left = 100'000;  // shared by all codes of a decision
  Abort abort = Abort::kNo;      // sticky
};

class Machine {
 public:
  // Of a program whose index is built.
  explicit Machine(const Program& program);  // compiles the program's patterns (re2) once; throws
                                             // nothing; see ok()
  ~Machine();
  bool ok() const;  // false: a pattern of the program does not compile; Run must not be called
  const std::string& error() const;    // why
  Value Run(uint32_t code, Env* env);  // on abort: ⊥ and env->abort set
  Truth RunTruth(uint32_t code, Env* env,
                 ErrorKind* error = nullptr);  // kNone: T; a non-bool result is an abort
  // The same of a code whose test the caller has at hand (notes.h).
  Truth RunTruth(uint32_t code, const SubjectTest& test, Env* env, ErrorKind* error);
  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace dpl
