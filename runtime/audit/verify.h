// Verifies an audit log: whether what stands in the folder is what was written, all of it, in
// order.
//
//   Result<AuditVerification> done = VerifyAudit({.folder = folder, .key = trusted});
//   if (!done.ok()) …        // it could not be read
//   done->findings.empty()   // nothing was changed
//
// Every line is hashed again and held against the chain, the tree and the signatures. Each finding
// names the place and what was expected there; after one, the check goes on with the next sealed
// segment. Memory does not grow with the log. A log may be verified while it is written.
//
// What it can know: without a key of one's own (`key`) only that the folder agrees with itself; and
// what was cut off behind its checkpoint only against a later one kept elsewhere (`checkpoints`).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/audit/checkpoint.h"
#include "runtime/base/result.h"

namespace dpl {

struct AuditFinding {
  // changed, missing, order, inserted: of records; key, checkpoint, seal, hashes: of other files
  std::string code;
  std::string file;
  uint64_t line = 0, byte = 0;  // of a file of lines; line 0: the file as a whole
  std::optional<uint64_t> seq;  // the record that is expected there
  std::string message;          // what was found, and what was expected
};

struct AuditVerification {
  std::string origin, key_id;
  uint64_t first = 0;        // records before it were removed
  uint64_t size = 0;         // records in all, the removed ones included
  uint64_t signed_size = 0;  // of them under the folder's last checkpoint
  Digest root{};
  uint64_t segments = 0, bytes = 0;  // read
  std::vector<AuditFinding> findings;
  std::vector<std::string> notes;  // what a reader of the log should know, and no sign of a change
};

struct NamedCheckpoint {
  std::string name, note;  // where it comes from, for messages; its text
};

struct AuditVerifyOptions {
  std::string folder;
  std::optional<AuditPublicKey> key;         // else the folder's own
  std::vector<NamedCheckpoint> checkpoints;  // kept elsewhere: the log must continue them
  std::function<void(uint64_t done, uint64_t total)> progress;  // in bytes, now and then
  size_t max_findings = 20;
};

Result<AuditVerification> VerifyAudit(const AuditVerifyOptions& options);

}  // namespace dpl
