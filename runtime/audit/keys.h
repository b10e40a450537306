// The key that signs a log's checkpoints: made at the first start, and the same ever after.
#pragma once

#include <string>

#include "runtime/audit/checkpoint.h"
#include "runtime/state/append_file.h"

namespace dpl {

struct AuditSigner {
  Ed25519Key key;
  AuditPublicKey pub;
};

// Reads the private key (`key_path`, or `log.key` in the folder) and checks it against `log.pub`.
// In a folder that is `fresh` (no segments) what is missing is made: the private key for its owner
// only, the public one beside it. Error "audit.key".
Result<AuditSigner> OpenAuditSigner(const std::string& folder, const std::string& key_path,
                                    const std::string& origin, bool fresh, Disk* disk);

}  // namespace dpl
