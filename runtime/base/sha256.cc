// Digests by OpenSSL's libcrypto, and the fixed hash; see sha256.h.
#include "runtime/base/sha256.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "runtime/base/result.h"

namespace dpl {
namespace {

// Looked up once: an implicit fetch per digest costs more than the digest of a short text.
const EVP_MD* Method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  DPL_CHECK(method != nullptr);
  return method;
}

void Start(EVP_MD_CTX* context) {
  DPL_CHECK(context != nullptr);
  DPL_CHECK(EVP_DigestInit_ex2(context, Method(), nullptr) == 1);
}

void Add(EVP_MD_CTX* context, std::string_view bytes) {
  DPL_CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
}

Digest End(EVP_MD_CTX* context) {
  Digest digest;
  unsigned int size = 0;
  DPL_CHECK(EVP_DigestFinal_ex(context, digest.data(), &size) == 1 && size == digest.size());
  return digest;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Digest Sha256(std::string_view bytes) { return Sha256(bytes, {}); }

// By the functions under EVP, which take no memory and look nothing up: for a text of some hundred
// bytes EVP costs more than the digest. They are declared old, and are part of libcrypto 3 as such.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
Digest Sha256(std::string_view first, std::string_view second) {
  Digest digest;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, first.data(), first.size());
  if (!second.empty()) SHA256_Update(&context, second.data(), second.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}
#pragma GCC diagnostic pop

Sha256Stream::Sha256Stream() : context_(EVP_MD_CTX_new()) { Start(context_); }
Sha256Stream::~Sha256Stream() { EVP_MD_CTX_free(context_); }
void Sha256Stream::Update(std::string_view bytes) { Add(context_, bytes); }
Digest Sha256Stream::Finish() { return End(context_); }

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char c : bytes) {
    auto byte = static_cast<uint8_t>(c);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::string Hex(const Digest& digest) {
  return Hex(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

bool ParseHex(std::string_view text, std::string* bytes) {
  bytes->clear();
  if (text.size() % 2 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 2) {
    int high = HexDigit(text[i]);
    int low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) {
      bytes->clear();
      return false;
    }
    bytes->push_back(static_cast<char>(high << 4 | low));
  }
  return true;
}

uint64_t Hash64(std::string_view bytes) {
  uint64_t h = 0xcbf29ce484222325;
  for (char c : bytes) {
    h ^= static_cast<uint8_t>(c);
    h *= 0x100000001b3;
  }
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccd;
  h ^= h >> 33;
  h *= 0xc4ceb9fe1a85ec53;
  h ^= h >> 33;
  return h;
}

}  // namespace dpl
