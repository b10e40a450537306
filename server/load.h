// From files to a policy in force: bundle and facts read, verified, joined; and what a facts file
// says of state, recorded.
//
//   Result<Loaded> loaded = LoadPolicy(config.bundle, config.facts, clock.Now());
//   if (!loaded.ok()) …   // "facts.json:12:5: …"; nothing has changed
//   Status seeded = RecordSeeds(previous, *loaded, &store, clock.Now());
#pragma once

#include <memory>
#include <string>

#include "runtime/base/result.h"
#include "runtime/facts/snapshot.h"
#include "runtime/state/store.h"

namespace dpl {

struct Loaded {
  std::shared_ptr<const Snapshot> snapshot;
  FactsInput facts;    // as read: its seeds are compared with those of the next load
  std::string digest;  // of the bundle: sha256:…
};

// Messages begin with the file, and the line and column where there is one.
Result<Loaded> LoadPolicy(const std::string& bundle_path, const std::string& facts_path,
                          Instant now);

// The parts of it.
Status CheckFactsFile(const std::string& path);  // as far as that goes without a program
Result<std::shared_ptr<const Program>> LoadProgram(const std::string& path);
Result<Loaded> JoinFacts(std::shared_ptr<const Program> program, const FactsInput& facts,
                         Instant now);

// Puts the consents, tasks, hand-offs and used amounts of `next` into the store. Only what is new
// is recorded, by a reload or a restart: an unchanged consent keeps covering what it covered when
// it was recorded, so that a wider delegation is not consented to by reading it again; a consent
// that the file no longer holds covers nothing from now on; and amounts used count only in a store
// that is `fresh`. `previous`: the load before, null at the start.
Status RecordSeeds(const Loaded* previous, const Loaded& next, bool fresh, StateStore* store,
                   Instant now);

// Frees all of `loaded->facts` but what the next RecordSeeds compares with. (The snapshot has its
// own copies.)
void ForgetRead(Loaded* loaded);

constexpr size_t kMostFactsBytes = size_t{1} << 30;

// The same error with its file and place in front, for people.
Error Located(const Error& error, const std::string& path);

// The whole file, at most `most` bytes; an error names the file.
Result<std::string> ReadWholeFile(const std::string& path, size_t most);

}  // namespace dpl
