// Authenticated encryption (AES-256-GCM, by libcrypto) of short texts under one key.
//
//   SealedBox box(key);                       // 32 bytes
//   box.Seal(nonce, "ev_1", plain, &sealed);  // nonce: 12 bytes, never twice under one key
//   std::optional<std::string> plain = box.Open("ev_1", sealed);   // nothing: not what was sealed
//
// What is sealed is the nonce, the ciphertext and a tag of 16 bytes; `about` and `more` are bound
// to it but not in it. One thread; a warm box asks the heap for nothing but the output's growth.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct evp_cipher_ctx_st;  // OpenSSL's cipher context

namespace dpl {

using BoxKey = std::array<uint8_t, 32>;
using BoxNonce = std::array<uint8_t, 12>;

class SealedBox {
 public:
  static constexpr size_t kOverhead = 12 + 16;

  explicit SealedBox(const BoxKey& key);
  ~SealedBox();
  SealedBox(const SealedBox&) = delete;
  SealedBox& operator=(const SealedBox&) = delete;

  // Appends to `out`.
  void Seal(const BoxNonce& nonce, std::string_view about, std::string_view plain, std::string* out,
            std::string_view more = {});
  std::optional<std::string> Open(std::string_view about, std::string_view sealed,
                                  std::string_view more = {});
  // What Open would give, if it is what was sealed: nobody has checked that. For who can only say
  // what is bound to it after having read it, and then opens it.
  std::optional<std::string> PeekUnchecked(std::string_view sealed);

 private:
  bool Decrypt(std::string_view about, std::string_view more, std::string_view sealed,
               std::string* plain);

  evp_cipher_ctx_st* seal_;
  evp_cipher_ctx_st* open_;
};

// Fills with bytes nobody can guess; false when the system has none to give.
bool FillRandom(uint8_t* bytes, size_t size);

}  // namespace dpl
