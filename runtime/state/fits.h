// Whether a policy may take over a state: asked before a policy is put in force.
//
//   Status fits = CheckFits(*snapshot, store, config.dropped_revocations);
//   // "state.revoked": "grant t.old is revoked, and this policy has no statement of that name …"
//   // "state.window":  "limit t.spend.amount counts over 5000d, and the store keeps 3660d"
#pragma once

#include <span>
#include <string>

#include "runtime/base/result.h"
#include "runtime/facts/snapshot.h"
#include "runtime/state/store.h"

namespace dpl {

// Refuses a policy
// - without a statement that is revoked: under a new name it would be free again (closing rule 36).
//   `dropped` lists the names that may be missing;
// - with a window that is longer than what the store keeps.
Status CheckFits(const Snapshot& snapshot, const StateStore& store,
                 std::span<const std::string> dropped);

}  // namespace dpl
