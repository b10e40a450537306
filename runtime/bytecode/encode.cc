#include "runtime/bytecode/encode.h"

#include "runtime/base/sha256.h"
#include "runtime/bytecode/fields.h"

namespace dpl {
namespace fields {
namespace {

// Numbers are varints; an index is written one up, so that kNone (all ones) is the single byte 0.
class FieldWriter {
 public:
  explicit FieldWriter(std::string* out) : out_(out) {}

  template <class... Xs>
  void operator()(Xs&... xs) {
    (Put(xs), ...);
  }

 private:
  void Put(bool x) { out_.U8(x ? 1 : 0); }
  void Put(uint8_t x) { out_.U8(x); }
  void Put(uint16_t x) { out_.Varint(x); }
  void Put(uint32_t x) { out_.Varint(static_cast<uint32_t>(x + 1)); }
  void Put(uint64_t x) { out_.U64(x); }
  void Put(int32_t x) { out_.SignedVarint(x); }
  void Put(int64_t x) { out_.SignedVarint(x); }
  void Put(std::string& x) { out_.String(x); }
  template <class T>
  void Put(std::vector<T>& x) {
    out_.Varint(x.size());
    for (T& item : x) Put(item);
  }
  template <class T>
  void Put(T& x) {
    if constexpr (std::is_enum_v<T>)
      out_.U8(static_cast<uint8_t>(x));
    else
      Fields(*this, x);
  }

  ByteWriter out_;
};

}  // namespace

const char* SectionName(Section section) {
  switch (section) {
    case Section::kSchema:
      return "schema";
    case Section::kConstants:
      return "constants";
    case Section::kCode:
      return "code";
    case Section::kStatements:
      return "statements";
    case Section::kSources:
      return "sources";
  }
  return "unknown";
}

std::array<uint8_t, 32> DigestOfFile(std::string_view bytes) {
  Sha256Stream stream;
  stream.Update(bytes.substr(0, kDigestAt));
  stream.Update(bytes.substr(kTableAt));
  return stream.Finish();
}

}  // namespace fields

namespace {

void WriteDigest(std::string* bytes) {
  std::array<uint8_t, 32> digest = fields::DigestOfFile(*bytes);
  for (size_t i = 0; i < digest.size(); ++i)
    (*bytes)[fields::kDigestAt + i] = static_cast<char>(digest[i]);
}

}  // namespace

std::string EncodeBundle(const Program& program) {
  using namespace fields;
  // The field lists are shared with the reader, so they take a mutable program; the writer only
  // reads it.
  Program& source = const_cast<Program&>(program);
  std::string bytes(kMagic);
  ByteWriter header(&bytes);
  header.U32(kBundleVersion);
  header.U32(0);  // flags: none defined
  header.U32(kSectionCount);
  header.Bytes(std::string(32, '\0'));
  for (uint32_t id = 1; id <= kSectionCount; ++id) {
    header.U32(id);
    header.U32(0);
  }
  for (uint32_t id = 1; id <= kSectionCount; ++id) {
    size_t begin = bytes.size();
    FieldWriter writer(&bytes);
    SectionFields(writer, static_cast<Section>(id), source);
    header.PatchU32(kTableAt + 8 * (id - 1) + 4, static_cast<uint32_t>(bytes.size() - begin));
  }
  WriteDigest(&bytes);
  return bytes;
}

std::array<uint8_t, 32> BundleDigest(std::string_view bytes) {
  std::array<uint8_t, 32> digest{};
  if (bytes.size() < fields::kTableAt) return digest;
  for (size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<uint8_t>(bytes[fields::kDigestAt + i]);
  return digest;
}

void RepairDigestForTest(std::string* bytes) {
  if (bytes->size() >= fields::kTableAt) WriteDigest(bytes);
}

}  // namespace dpl
