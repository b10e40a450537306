// What the laws are tried on: a generated policy set, its facts and questions, and an engine that
// answers each question from the same beginning, so that two answers can be compared.
//
//   ForCases(100, [](Case& c) {
//     Engine engine(c, c.compiled->program);
//     for (const gen::Ask& ask : c.asks) Answer a = engine.Put(ask, c.Now());
//   });
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/decide/answer_pieces.h"
#include "runtime/decide/engine.h"
#include "runtime/facts/snapshot.h"
#include "runtime/state/memory_store.h"
#include "tests/support/events.h"

namespace dpl::laws {

struct Case {
  uint64_t seed = 0;
  gen::Rng rng{0};
  std::unique_ptr<gen::Vocabulary> v;
  gen::PolicyText policy;  // what compiled
  std::unique_ptr<gen::Compiled> compiled;
  gen::World0 world;
  std::vector<gen::Ask> asks;  // none is a dry run or through an emergency door
  std::vector<FactsInput::Task> tasks;

  // The same text with another list of statements; null when the checker refuses it.
  std::unique_ptr<gen::Compiled> Compile(const gen::PolicyText& other) const;
  std::unique_ptr<gen::Compiled> With(const std::string& block) const;
  Instant Now() const { return Instant{world.start.us + 10 * kMicrosPerMinute}; }
};

// The policy of this seed, after `edit` had its way with the text; null when it does not compile.
std::unique_ptr<Case> MakeCase(uint64_t seed, int asks,
                               const std::function<void(gen::PolicyText*)>& edit = {});

// `law` on this many cases, the first of which fails the test stops it. `edit` as above.
void ForCases(int cases, const std::function<void(Case&)>& law,
              const std::function<void(gen::PolicyText*)>& edit = {});

struct Answer {
  OutcomeKind outcome = OutcomeKind::kDeny;
  Reason reason = Reason::kErrorInternal;
  std::set<std::string> grants;  // that add, by qualified name
  int permits = 0;               // of the times it was put
  bool permit() const { return outcome == OutcomeKind::kPermit; }
  bool operator==(const Answer&) const = default;
};

// The state in which a question is put: tasks are open and consents given since the case's start.
struct Given {
  std::vector<std::pair<RevokedKind, std::string>> revoked;
  int64_t born_before_us = 0;  // how long before now every run was born
  int times = 1;               // put that often on one state; the answer is the first one
};

class Engine {
 public:
  Engine(const Case& c, std::shared_ptr<const Program> program)
      : Engine(c, std::move(program), c.world.facts) {}
  Engine(const Case& c, std::shared_ptr<const Program> program, const FactsInput& facts);
  bool ok() const { return snapshot_ != nullptr; }  // false: the facts do not fit

  Answer Put(const gen::Ask& ask, Instant now, const Given& given = {});
  // The bytes of the whole answer. `valid_until`: said there instead, so that it can be compared by
  // itself; `explain`: the steps after the first failure too.
  std::string Json(const gen::Ask& ask, Instant now, Instant* valid_until = nullptr,
                   bool explain = true);
  // As if the index had one level only, and with what is small fetched ahead too.
  void TryEveryClause() {
    scratch_.TryEveryClauseForTest();
    scratch_.FetchAheadForTest();
  }

 private:
  Request Prepare(const gen::Ask& ask, Instant now, const Given& given, MemoryStore* store);
  std::shared_ptr<const Program> program_;
  std::unique_ptr<Snapshot> snapshot_;
  std::unique_ptr<AnswerPieces> parts_;
  FactsInput seeds_;
  Scratch scratch_;
};

// Whether the subject belongs to another realm: its agents are its own, and no hand-off of ours.
bool OfPartner(const gen::Ask& ask);
// Whether somebody else acts: an agent of ours, or another person. Who acts for himself acts alone.
bool ThroughOthers(const gen::Ask& ask);
// Statements of the text, by their keyword.
bool IsKind(const std::string& block, const char* keyword);
std::string NameOf(const std::string& block);  // "g0"

}  // namespace dpl::laws
