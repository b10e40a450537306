#include "runtime/base/ed25519.h"

#include <memory>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace dpl {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// A key in clear needs no password; asking for one on the terminal would hang a server.
int NoPassword(char*, int, int, void*) { return -1; }

}  // namespace

Ed25519Key Ed25519Key::Generate() {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  DPL_CHECK(key != nullptr);
  return Ed25519Key(key);
}

Result<Ed25519Key> Ed25519Key::FromPem(std::string_view pem) {
  std::unique_ptr<BIO, Free> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  DPL_CHECK(in != nullptr);
  std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(in.get(), nullptr, NoPassword, nullptr));
  ERR_clear_error();
  if (key == nullptr) return Error{"key.syntax", "no private key in PEM (PKCS#8, not encrypted)"};
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519)
    return Error{"key.syntax", "the private key is not an Ed25519 key"};
  return Ed25519Key(key.release());
}

Ed25519Key::Ed25519Key(Ed25519Key&& other) noexcept : key_(std::exchange(other.key_, nullptr)) {}
Ed25519Key& Ed25519Key::operator=(Ed25519Key&& other) noexcept {
  std::swap(key_, other.key_);
  return *this;
}
Ed25519Key::~Ed25519Key() { EVP_PKEY_free(key_); }

std::string Ed25519Key::ToPem() const {
  std::unique_ptr<BIO, Free> out(BIO_new(BIO_s_mem()));
  DPL_CHECK(out != nullptr && PEM_write_bio_PKCS8PrivateKey(out.get(), key_, nullptr, nullptr, 0,
                                                            nullptr, nullptr) == 1);
  char* bytes = nullptr;
  auto size = static_cast<size_t>(BIO_get_mem_data(out.get(), &bytes));
  return std::string(bytes, size);
}

Ed25519Public Ed25519Key::public_key() const {
  Ed25519Public bytes;
  size_t size = bytes.size();
  DPL_CHECK(EVP_PKEY_get_raw_public_key(key_, bytes.data(), &size) == 1 && size == bytes.size());
  return bytes;
}

Ed25519Signature Ed25519Key::Sign(std::string_view message) const {
  std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  Ed25519Signature signature;
  size_t size = signature.size();
  DPL_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_) == 1);
  DPL_CHECK(EVP_DigestSign(context.get(), signature.data(), &size,
                           reinterpret_cast<const unsigned char*>(message.data()),
                           message.size()) == 1 &&
            size == signature.size());
  return signature;
}

bool Ed25519Verify(const Ed25519Public& key, std::string_view message,
                   const Ed25519Signature& signature) {
  std::unique_ptr<EVP_PKEY, Free> pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  bool good =
      pkey != nullptr &&
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                       reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace dpl
