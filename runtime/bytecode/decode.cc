#include "runtime/bytecode/decode.h"

#include <algorithm>

#include "runtime/bytecode/encode.h"
#include "runtime/bytecode/fields.h"
#include "runtime/bytecode/verify.h"

namespace dpl {
namespace fields {
namespace {

// Gets what FieldWriter put. The first thing that does not fit makes `reader.failed()` true for
// good; lists then stay short, so a hostile count never sizes an allocation: every element read has
// cost at least one byte of input.
class FieldReader {
 public:
  explicit FieldReader(ByteReader* in) : in_(*in) {}

  template <class... Xs>
  void operator()(Xs&... xs) {
    (Get(xs), ...);
  }

 private:
  void Get(bool& x) {
    uint8_t byte = 0;
    in_.U8(&byte);
    if (byte > 1) in_.Fail();
    x = byte == 1;
  }
  void Get(uint8_t& x) { in_.U8(&x); }
  void Get(uint16_t& x) {
    uint32_t wide = 0;
    in_.Varint32(&wide);
    if (wide > std::numeric_limits<uint16_t>::max()) in_.Fail();
    x = static_cast<uint16_t>(wide);
  }
  void Get(uint32_t& x) {
    uint32_t up = 0;
    in_.Varint32(&up);
    x = up - 1;
  }
  void Get(uint64_t& x) { in_.U64(&x); }
  void Get(int32_t& x) {
    int64_t wide = 0;
    in_.SignedVarint(&wide);
    if (wide < std::numeric_limits<int32_t>::min() || wide > std::numeric_limits<int32_t>::max())
      in_.Fail();
    x = static_cast<int32_t>(wide);
  }
  void Get(int64_t& x) { in_.SignedVarint(&x); }
  void Get(std::string& x) {
    std::string_view bytes;
    in_.String(&bytes);
    x = bytes;
  }
  template <class T>
  void Get(std::vector<T>& x) {
    x.clear();
    uint32_t count = 0;
    if (!in_.Count(&count)) return;
    // At once for as many as the rest could well hold; a count that lies makes no more of it.
    x.reserve(std::min<size_t>(count, in_.remaining() / (sizeof(T) / 8 + 1)));
    for (uint32_t i = 0; i < count && !in_.failed(); ++i) Get(x.emplace_back());
  }
  template <class T>
  void Get(T& x) {
    if constexpr (std::is_enum_v<T>) {
      static_assert(kLast<T> != T{}, "an enum on disk needs its last member in fields.h");
      uint8_t byte = 0;
      in_.U8(&byte);
      if (byte > static_cast<uint8_t>(kLast<T>))
        in_.Fail();
      else
        x = static_cast<T>(byte);
    } else {
      Fields(*this, x);
    }
  }

  ByteReader& in_;
};

}  // namespace
}  // namespace fields

Result<Program> DecodeBundle(std::string_view bytes) {
  using namespace fields;
  auto refuse = [](const char* code, std::string message) {
    return Error{code, std::move(message)};
  };
  if (bytes.substr(0, kMagic.size()) != kMagic)
    return refuse("bundle.magic", "this is not a bundle: it does not begin with DPLB");
  if (bytes.size() < kBodyAt) return refuse("bundle.size", "the bundle ends within its header");
  if (bytes.size() > kMaxBundleBytes) {
    return refuse("bundle.size", "the bundle has " + std::to_string(bytes.size()) +
                                     " bytes; at most " + std::to_string(kMaxBundleBytes) +
                                     " are read");
  }
  ByteReader header(bytes.substr(kMagic.size()));
  uint32_t version = 0, flags = 0, sections = 0;
  header.U32(&version);
  header.U32(&flags);
  header.U32(&sections);
  if (version != kBundleVersion) {
    return refuse("bundle.version", "the bundle has version " + std::to_string(version) +
                                        "; this program reads version " +
                                        std::to_string(kBundleVersion));
  }
  if (flags != 0) return refuse("bundle.header", "the header has unknown flags");
  if (sections != kSectionCount)
    return refuse("bundle.header", "the header names " + std::to_string(sections) +
                                       " sections; there are " + std::to_string(kSectionCount));
  if (DigestOfFile(bytes) != BundleDigest(bytes))
    return refuse("bundle.digest",
                  "the digest does not match the content: the bundle was damaged or changed");

  Program program;
  header.Skip(kTableAt - kDigestAt);
  size_t begin = kBodyAt;
  for (uint32_t n = 1; n <= kSectionCount; ++n) {
    uint32_t id = 0, size = 0;
    header.U32(&id);
    header.U32(&size);
    if (id != n)
      return refuse("bundle.header", "section " + std::to_string(n) + " is missing from the table");
    if (size > bytes.size() - begin)
      return refuse("bundle.size", std::string("the bundle ends within section ") +
                                       SectionName(static_cast<Section>(n)));
    ByteReader body(bytes.substr(begin, size));
    FieldReader fields(&body);
    SectionFields(fields, static_cast<Section>(n), program);
    if (body.failed() || !body.at_end()) {
      return refuse("bundle.content",
                    std::string("section ") + SectionName(static_cast<Section>(n)) +
                        " is malformed at byte " + std::to_string(begin + body.position()) +
                        (body.failed() ? "" : ": bytes are left over"));
    }
    begin += size;
  }
  if (begin != bytes.size()) return refuse("bundle.size", "there are bytes after the last section");
  program.digest = BundleDigest(bytes);
  DPL_RETURN_IF_ERROR(VerifyProgram(program));
  BuildIndex(&program);
  return program;
}

}  // namespace dpl
