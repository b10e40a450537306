// Proofs that a record is in the log, for somebody who has neither the log nor trust in its keeper:
// one JSON text with the record's line, the hashes from it to the root, and the signed checkpoint;
// and the same for the record that has its shape (shape.h), where it has one.
//
//   Result<std::string> proof = ProveRecord(folder, 17);
//   Result<CheckedProof> checked = CheckProof(*proof, key);   // anywhere, later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/audit/checkpoint.h"
#include "runtime/base/instant.h"
#include "runtime/base/result.h"

namespace dpl {

// Against the folder's last checkpoint. Errors: "audit.unsigned" (no checkpoint covers the record
// yet), "audit.removed", "audit.missing", "audit.damaged", "audit.file".
Result<std::string> ProveRecord(const std::string& folder, uint64_t seq);

struct CheckedProof {
  uint64_t seq = 0;
  Instant time{};
  std::string record;  // the JSON object that was appended, in its shape; terms are their numbers
  Checkpoint checkpoint;
};
// Errors: "audit.proof" (it proves nothing: which part is wrong), "audit.checkpoint".
Result<CheckedProof> CheckProof(std::string_view proof, const AuditPublicKey& key);

}  // namespace dpl
