// Signed checkpoints (C2SP tlog-checkpoint, a kind of signed note) and the keys that sign them.
//
//   pdp.example/dpl-audit            the origin: the log's name, and that of its key
//   1000                             how many records
//   qJF4…=                           the root of their tree
//                                    further lines, then an empty one
//   — pdp.example/dpl-audit X5w6v…   signature
//
// The public key is written as one line, `<name>+<key id>+<base64 of 0x01 and the key>`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/ed25519.h"
#include "runtime/base/sha256.h"

namespace dpl {

struct AuditPublicKey {
  std::string name;  // of the key and the log
  Ed25519Public key{};

  std::string id() const;    // 4 bytes
  std::string line() const;  // as it is written, without a newline
};
Result<AuditPublicKey> ParseAuditPublicKey(std::string_view line);  // error "audit.key"
bool IsAuditOrigin(std::string_view name);  // not empty, no spaces, controls or `+`

struct Checkpoint {
  std::string origin;
  uint64_t size = 0;
  Digest root{};
  std::vector<std::string> lines;  // after the root
};

std::string SignCheckpoint(const Checkpoint& checkpoint, const Ed25519Key& key);
// What the note says, once a signature of this key is found good. Signatures of others (witnesses)
// are passed over. Error "audit.checkpoint".
Result<Checkpoint> OpenCheckpoint(std::string_view note, const AuditPublicKey& key);

std::string Base64(const Digest& digest);
bool ParseBase64(std::string_view text, Digest* out);

}  // namespace dpl
