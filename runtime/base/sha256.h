// SHA-256 (FIPS 180-4, by libcrypto) for digests, and a fixed 64-bit hash for tables.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's digest context

namespace dpl {

using Digest = std::array<uint8_t, 32>;

Digest Sha256(std::string_view bytes);
// Of the two joined.
Digest Sha256(std::string_view first, std::string_view second);

inline std::string_view DigestBytes(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// The same over pieces, so that nothing need be joined first.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void Update(std::string_view bytes);
  Digest Finish();  // once

 private:
  evp_md_ctx_st* context_;
};

std::string Hex(std::string_view bytes);  // lower case
std::string Hex(const Digest& digest);
bool ParseHex(std::string_view text, std::string* bytes);  // either case; false on anything else

// FNV-1a over the bytes, then the 64-bit finaliser of MurmurHash3. One fixed function on every
// machine and in every version, so it may order tables inside a bundle. It is not keyed: never use
// it alone for a table whose keys a request chooses.
uint64_t Hash64(std::string_view bytes);

}  // namespace dpl
