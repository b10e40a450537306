// What the audit folder keeps besides the log: keys, and what was in force, so that recorded
// decisions can be run again.
//
//   Result<std::unique_ptr<AuditVault>> vault = AuditVault::Open({.folder = folder, .start = id});
//   Result<std::string> digest = (*vault)->Save(bundle_bytes);   // "sha256:…"
//   std::shared_ptr<const AuditVault::Key> key = (*vault)->KeyFor(now);
//   sealer.Seal(…);                                              // seal.h
//
// In the folder: `keys/digest.key` keys the digests of parameters; `keys/inputs.key` seals what was
// in force (`inputs/<digest>.sealed`: bundles, facts, callers); `keys/seal-<day>-<start>.key` seals
// the requests of that day. Each key is 32 bytes in hex, readable for its owner only. Deleting a
// key makes what it sealed unreadable for good; the log still verifies. docs/audit.md, "Sealed".
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/instant.h"
#include "runtime/base/result.h"
#include "runtime/base/sealed_box.h"

namespace dpl {

class AuditVault {
 public:
  struct Options {
    std::string folder;
    std::string start;       // tells the keys of this start from others': letters and digits
    bool read_only = false;  // for replay: nothing is made
  };
  struct Key {
    std::string id;  // "seal-2026-11-22-k3x9"
    int64_t day = 0;
    BoxKey bytes{};
  };

  static Result<std::unique_ptr<AuditVault>> Open(const Options& options);

  // Keys the digests of parameters; empty where there is none to be read.
  std::string_view digest_key() const { return digest_key_; }

  // The key of the day of `now`, made when it is the first of the day; null when it cannot be made.
  // Any thread; a file is written and synced once a day.
  std::shared_ptr<const Key> KeyFor(Instant now);
  static int64_t DayOf(Instant now) { return now.us / kMicrosPerDay; }

  // Removes the keys of days that were over, by a day, at `before`: what they sealed is forgotten.
  static Status ForgetKeysBefore(const std::string& folder, Instant before);

  // What is in force from now on, by digests: kept, and what was before it.
  void Hold(std::vector<std::string> digests);
  // Removes what was kept and is of no use any more: neither `named`, nor in force, nor part of
  // what is, nor saved within the hour.
  Status ForgetInputs(const std::function<bool(std::string_view digest)>& named);

  // Keeps these bytes, sealed; their digest ("sha256:…"). Bytes kept before are not written again.
  Result<std::string> Save(std::string_view bytes);

  // ---- reading
  Result<std::string> Load(std::string_view digest);
  // Error "audit.forgotten": the key was deleted. "audit.sealed": this is not what was sealed.
  Result<std::string> OpenBox(std::string_view key_id, std::string_view about,
                              std::string_view base64, std::string_view more = {});
  // What is in it, unchecked, where `more` is not known before (SealedBox::PeekUnchecked).
  Result<std::string> PeekBox(std::string_view key_id, std::string_view base64);

 private:
  explicit AuditVault(const Options& options) : options_(options) {}
  Result<BoxKey> ReadKey(const std::string& name) const;
  Result<std::string> Unpack(std::string_view key_id, std::string_view base64);
  Result<BoxKey> ReadOrMakeKey(const std::string& name) const;

  const Options options_;
  std::string digest_key_;
  std::unique_ptr<SealedBox> inputs_;
  std::mutex mutex_;  // guards what follows, and inputs_
  std::shared_ptr<const Key> current_;
  std::vector<std::string> held_, held_before_;
  std::string opened_id_;  // the last key that OpenBox used
  std::unique_ptr<SealedBox> opened_;
};

}  // namespace dpl
