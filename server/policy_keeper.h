// What is in force, and how it changes: the bundle and the facts file at the start and at a reload,
// and facts that are pushed in between.
//
//   PolicyKeeper keeper({.store = &store, .clock = &clock, .ledger = "dpl-state/facts"});
//   Status status = keeper.Start(bundle, facts, fresh);
//   keeper.Publish = [&](auto snapshot) { service.Publish(snapshot, callers); };
//
// Facts have one history: each document or change takes the place of what was in force before, and
// the latest wins. A facts file is such a document, from the moment that a start or reload reads it
// with other bytes than before; read again unchanged, it leaves what was pushed since in force. A
// file that says itself that it is older (`as_of`) than what was pushed does not take its place.
// Pushed facts are kept in the ledger before they are in force (runtime/state/facts_ledger.h).
//
// One change at a time; every call may come from any thread. Decisions never wait for any of it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/facts/patch.h"
#include "runtime/state/facts_ledger.h"
#include "server/load.h"
#include "server/operate/facts_feed.h"

namespace dpl {

// What is in force, by the digests of what the audit folder keeps of it; empty where it keeps
// nothing. `facts` is a facts document, or a link: {"base":…,"as_of":…} or {"base":…,"change":…,
// "version":…}, each part again by its digest (docs/audit.md, "Replay").
struct KeptInputs {
  std::string policy, data;  // digest of the program, version of the facts
  std::string bundle, facts;
  Instant built{};  // when program and facts were joined
};

class PolicyKeeper final : public FactsFeed {
 public:
  struct Options {
    StateStore* store = nullptr;
    Clock* clock = nullptr;
    std::string ledger;       // folder of pushed facts; empty: in memory
    bool check_only = false;  // nothing is written
    // Keeps bytes for a replay and gives their digest; empty: nothing is kept.
    std::function<Result<std::string>(std::string_view bytes)> keep;
    // For the log: what happened besides ("facts_kept", "facts_dropped", "facts_tail_cut").
    std::function<void(std::string_view event, const std::string& what)> notice;
  };
  explicit PolicyKeeper(Options options) : options_(std::move(options)) {}

  // Revoked statements that a policy may lack (runtime/state/fits.h). Set before Start and Reload.
  std::vector<std::string> dropped_revocations;
  // Puts a snapshot in force; from the start of serving on.
  using Publish = std::function<void(std::shared_ptr<const Snapshot>, const KeptInputs&)>;
  Publish publish;

  Status Start(const std::string& bundle, const std::string& facts, bool fresh);
  // Everything is checked before anything changes. `done` puts it in force, under the same lock as
  // pushed facts.
  Status Reload(const std::string& bundle, const std::string& facts, const Publish& done);

  std::shared_ptr<const Snapshot> snapshot() const;
  std::string digest() const;  // of the bundle
  KeptInputs kept() const;

  FactsInForce Look() override;
  Result<FactsInForce> Replace(std::string_view text, std::string_view expected) override;
  Result<FactsInForce> Change(std::string_view text, std::string_view expected) override;

 private:
  struct Next {
    Loaded loaded;
    std::string facts_path, file_digest;
    std::unique_ptr<FactsDocument> document;  // null: the file is in force
    bool drop = false;                        // of what was pushed
    KeptInputs kept;
  };
  Result<Next> Prepare(const std::string& bundle, const std::string& facts, bool starting);
  Status Take(Next next, bool fresh, bool first);
  FactsInForce LookLocked() const;
  Status CheckExpected(std::string_view expected) const;
  Status CheckAsOf(std::optional<Instant> as_of, Instant now) const;
  Status OpenLedger(Instant now);
  Status OpenDocument();
  Result<std::shared_ptr<const Snapshot>> NextSnapshot(const FactsChanges& changes,
                                                       std::string version, Instant now,
                                                       bool* patched);
  Status Renew(const FactsChanges& changes, std::string_view text, Instant now);
  Result<std::string> Keep(std::string_view bytes) const;
  Result<std::string> KeepDocument(std::string_view text, std::optional<Instant> as_of) const;
  Result<std::string> KeepChange(const std::string& base, std::string_view change,
                                 std::string_view version) const;
  Result<std::string> KeepLedger() const;

  const Options options_;
  mutable std::mutex mutex_;  // guards what follows
  std::unique_ptr<FactsLedger> ledger_;
  Loaded loaded_;
  KeptInputs kept_;
  std::string facts_path_, file_digest_;
  std::unique_ptr<FactsDocument> document_;  // what was pushed; null: to be read when it is needed
  std::unique_ptr<FactsPatcher> patcher_;    // of the snapshot in force; null: made when needed
};

}  // namespace dpl
