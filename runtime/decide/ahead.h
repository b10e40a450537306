// Brings what a decision is about to read into the cache before it is asked for. In a large policy
// nearly everything that one request needs lies in memory nobody has read lately, and each record
// names the next: without this a decision waits for some thirty answers of the memory, one after
// the other. Here the person, the agent, its run, its ceiling and its delegation are followed side
// by side, a record further with each step, between the steps of the fold.
//
//   ahead.Begin(snapshot, request, false);   // nothing at all where everything is small
//   ahead.Step(f);                           // after each bit of other work
//
// It decides nothing: whatever it reads is read again by whom it concerns, and what it does not
// find is found later. Reads only what does not change, and the store by FetchRun.
#pragma once

#include <array>

#include "runtime/decide/request.h"
#include "runtime/facts/snapshot.h"
#include "runtime/state/store.h"

namespace dpl {

struct Fold;

class Ahead {
 public:
  void Begin(const Snapshot& snapshot, const Request& request, bool small);
  void Step(const Fold& f) {
    if (step_ != 0) Go(f);
  }

 private:
  static constexpr int kMostClauses = 6;
  // A clause on its way into the cache: where it stands in the index, then itself.
  struct Wanted {
    const IndexEntry::Run* run;
    ClauseRole role;
    uint32_t clause;
  };
  void Go(const Fold& f);
  void Want(const Fold& f, ClauseRole role, SubjectKey key);
  void Advance(const Fold& f, int part);

  int step_ = 0;  // 0: nothing more to do
  Snapshot::Fetch names_;
  int first_of_person_ = 0, wanted_ = 0;
  std::array<Wanted, kMostClauses> clauses_;
};

}  // namespace dpl
