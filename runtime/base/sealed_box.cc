// See sealed_box.h.
#include "runtime/base/sealed_box.h"

#include <algorithm>

#include <openssl/evp.h>
#include <sys/random.h>

#include "runtime/base/result.h"

namespace dpl {
namespace {

constexpr size_t kTag = 16;

const EVP_CIPHER* Method() {
  static const EVP_CIPHER* const method = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  DPL_CHECK(method != nullptr);
  return method;
}

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

}  // namespace

SealedBox::SealedBox(const BoxKey& key) : seal_(EVP_CIPHER_CTX_new()), open_(EVP_CIPHER_CTX_new()) {
  DPL_CHECK(seal_ != nullptr && open_ != nullptr);
  DPL_CHECK(EVP_EncryptInit_ex2(seal_, Method(), key.data(), nullptr, nullptr) == 1);
  DPL_CHECK(EVP_DecryptInit_ex2(open_, Method(), key.data(), nullptr, nullptr) == 1);
}

SealedBox::~SealedBox() {
  EVP_CIPHER_CTX_free(seal_);
  EVP_CIPHER_CTX_free(open_);
}

void SealedBox::Seal(const BoxNonce& nonce, std::string_view about, std::string_view plain,
                     std::string* out, std::string_view more) {
  const size_t start = out->size();
  out->resize(start + kOverhead + plain.size());
  auto* at = reinterpret_cast<uint8_t*>(out->data()) + start;
  std::copy(nonce.begin(), nonce.end(), at);
  at += nonce.size();
  int size = 0;
  DPL_CHECK(EVP_EncryptInit_ex2(seal_, nullptr, nullptr, nonce.data(), nullptr) == 1);
  DPL_CHECK(
      EVP_EncryptUpdate(seal_, nullptr, &size, Bytes(about), static_cast<int>(about.size())) == 1);
  if (!more.empty()) {
    DPL_CHECK(
        EVP_EncryptUpdate(seal_, nullptr, &size, Bytes(more), static_cast<int>(more.size())) == 1);
  }
  DPL_CHECK(EVP_EncryptUpdate(seal_, at, &size, Bytes(plain), static_cast<int>(plain.size())) == 1);
  at += plain.size();
  DPL_CHECK(EVP_EncryptFinal_ex(seal_, at, &size) == 1);
  DPL_CHECK(EVP_CIPHER_CTX_ctrl(seal_, EVP_CTRL_GCM_GET_TAG, kTag, at) == 1);
}

// The plaintext, and the machine ready to compare the tag.
bool SealedBox::Decrypt(std::string_view about, std::string_view more, std::string_view sealed,
                        std::string* plain) {
  if (sealed.size() < kOverhead) return false;
  std::string_view body = sealed.substr(12, sealed.size() - kOverhead);
  plain->assign(body.size() + 1, '\0');  // never an empty buffer
  auto* at = reinterpret_cast<uint8_t*>(plain->data());
  int size = 0;
  bool good = EVP_DecryptInit_ex2(open_, nullptr, nullptr, Bytes(sealed), nullptr) == 1;
  for (std::string_view bound : {about, more}) {
    if (bound.empty() && bound.data() == nullptr) continue;
    good = good && EVP_DecryptUpdate(open_, nullptr, &size, Bytes(bound),
                                     static_cast<int>(bound.size())) == 1;
  }
  good =
      good && EVP_DecryptUpdate(open_, at, &size, Bytes(body), static_cast<int>(body.size())) == 1;
  plain->resize(body.size());
  return good;
}

std::optional<std::string> SealedBox::Open(std::string_view about, std::string_view sealed,
                                           std::string_view more) {
  std::string plain;
  if (!Decrypt(about, more, sealed, &plain)) return std::nullopt;
  std::string tag(sealed.substr(sealed.size() - kTag));
  uint8_t rest[16];
  int size = 0;
  if (EVP_CIPHER_CTX_ctrl(open_, EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) != 1 ||
      EVP_DecryptFinal_ex(open_, rest, &size) != 1) {
    return std::nullopt;
  }
  return plain;
}

std::optional<std::string> SealedBox::PeekUnchecked(std::string_view sealed) {
  std::string plain;
  if (!Decrypt({}, {}, sealed, &plain)) return std::nullopt;
  return plain;
}

bool FillRandom(uint8_t* bytes, size_t size) {
  while (size > 0) {
    ssize_t count = getrandom(bytes, size, 0);
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

}  // namespace dpl
