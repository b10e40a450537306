// Puts the state that a facts file or a test's `given` tells of into a store: consents, tasks,
// hand-offs, amounts used.
//
//   Status s = SeedState(*snapshot, input, &store, now);   // error "facts.…" with line and column
//   in input.name
//
// Every name is looked up in the snapshot's program first; nothing is written when one of them is
// wrong.
#pragma once

#include "runtime/base/instant.h"
#include "runtime/base/result.h"
#include "runtime/facts/snapshot.h"
#include "runtime/state/store.h"

namespace dpl {

Status SeedState(const Snapshot& snapshot, const FactsInput& input, StateStore* store, Instant now);

// One task as it would be recorded: names looked up, arguments typed against the shape, never
// longer than the shape allows. Error "facts.…", with the line and column of the faulty value.
// Looks at no store: whether the id is taken is for the caller to see.
Result<TaskRecord> ReadTaskRecord(const Snapshot& snapshot, const FactsInput::Task& task,
                                  Instant now);

}  // namespace dpl
