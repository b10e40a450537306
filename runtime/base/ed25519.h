// Ed25519 signatures (RFC 8032, by libcrypto).
//
//   Ed25519Key key = Ed25519Key::Generate();
//   Ed25519Signature signature = key.Sign(text);
//   Ed25519Verify(key.public_key(), text, signature)
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

struct evp_pkey_st;  // OpenSSL's key

namespace dpl {

using Ed25519Public = std::array<uint8_t, 32>;
using Ed25519Signature = std::array<uint8_t, 64>;

// A private key. Movable; any number of threads may sign.
class Ed25519Key {
 public:
  static Ed25519Key Generate();
  static Result<Ed25519Key> FromPem(std::string_view pem);  // PKCS#8; error "key.syntax"
  Ed25519Key(Ed25519Key&& other) noexcept;
  Ed25519Key& operator=(Ed25519Key&& other) noexcept;
  ~Ed25519Key();

  std::string ToPem() const;  // not encrypted: for a file that only its owner reads
  Ed25519Public public_key() const;
  Ed25519Signature Sign(std::string_view message) const;

 private:
  explicit Ed25519Key(evp_pkey_st* key) : key_(key) {}
  evp_pkey_st* key_;
};

bool Ed25519Verify(const Ed25519Public& key, std::string_view message,
                   const Ed25519Signature& signature);

}  // namespace dpl
