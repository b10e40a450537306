// Little-endian bytes in and out.
#include "runtime/base/bytes.h"

#include "runtime/base/result.h"

namespace dpl {
namespace {

template <class T>
void AppendLittle(std::string* out, T v) {
  char bytes[sizeof(T)];
  for (size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<char>(v >> (8 * i));
  out->append(bytes, sizeof(T));
}

template <class T>
T LoadLittle(const char* at) {
  T v = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    v = static_cast<T>(v | static_cast<T>(static_cast<T>(static_cast<uint8_t>(at[i])) << (8 * i)));
  }
  return v;
}

}  // namespace

void ByteWriter::U8(uint8_t v) { out_->push_back(static_cast<char>(v)); }
void ByteWriter::U16(uint16_t v) { AppendLittle(out_, v); }
void ByteWriter::U32(uint32_t v) { AppendLittle(out_, v); }
void ByteWriter::U64(uint64_t v) { AppendLittle(out_, v); }

void ByteWriter::Varint(uint64_t v) {
  while (v >= 0x80) {
    U8(static_cast<uint8_t>(v) | 0x80);
    v >>= 7;
  }
  U8(static_cast<uint8_t>(v));
}

void ByteWriter::SignedVarint(int64_t v) {
  Varint((static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63));
}

void ByteWriter::String(std::string_view bytes) {
  Varint(bytes.size());
  Bytes(bytes);
}

void ByteWriter::Bytes(std::string_view bytes) { out_->append(bytes); }

void ByteWriter::PatchU32(size_t at, uint32_t v) {
  DPL_CHECK(at <= out_->size() && out_->size() - at >= 4);
  for (size_t i = 0; i < 4; ++i) (*out_)[at + i] = static_cast<char>(v >> (8 * i));
}

bool ByteReader::Take(size_t n, const char** at) {
  if (failed_ || n > remaining()) {
    failed_ = true;
    return false;
  }
  *at = bytes_.data() + at_;
  at_ += n;
  return true;
}

bool ByteReader::U8(uint8_t* v) {
  const char* at = nullptr;
  *v = Take(1, &at) ? static_cast<uint8_t>(*at) : uint8_t{0};
  return !failed_;
}

bool ByteReader::U16(uint16_t* v) {
  const char* at = nullptr;
  *v = Take(2, &at) ? LoadLittle<uint16_t>(at) : uint16_t{0};
  return !failed_;
}

bool ByteReader::U32(uint32_t* v) {
  const char* at = nullptr;
  *v = Take(4, &at) ? LoadLittle<uint32_t>(at) : 0;
  return !failed_;
}

bool ByteReader::U64(uint64_t* v) {
  const char* at = nullptr;
  *v = Take(8, &at) ? LoadLittle<uint64_t>(at) : 0;
  return !failed_;
}

bool ByteReader::I32(int32_t* v) {
  uint32_t u = 0;
  bool ok = U32(&u);
  *v = static_cast<int32_t>(u);
  return ok;
}

bool ByteReader::I64(int64_t* v) {
  uint64_t u = 0;
  bool ok = U64(&u);
  *v = static_cast<int64_t>(u);
  return ok;
}

bool ByteReader::Varint(uint64_t* v) {
  *v = 0;
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    uint8_t byte = 0;
    if (!U8(&byte)) return false;
    // The tenth byte holds one bit; a last byte of zero after others is a longer spelling.
    if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0)) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      *v = value;
      return true;
    }
  }
  failed_ = true;
  return false;
}

bool ByteReader::Varint32(uint32_t* v) {
  uint64_t wide = 0;
  *v = 0;
  if (!Varint(&wide)) return false;
  if (wide > UINT32_MAX) {
    failed_ = true;
    return false;
  }
  *v = static_cast<uint32_t>(wide);
  return true;
}

bool ByteReader::SignedVarint(int64_t* v) {
  uint64_t u = 0;
  bool ok = Varint(&u);
  *v = static_cast<int64_t>((u >> 1) ^ (~(u & 1) + 1));
  return ok;
}

bool ByteReader::Bytes(size_t n, std::string_view* v) {
  const char* at = nullptr;
  *v = Take(n, &at) ? std::string_view(at, n) : std::string_view();
  return !failed_;
}

bool ByteReader::String(std::string_view* v, size_t max) {
  *v = {};
  uint64_t size = 0;
  if (!Varint(&size)) return false;
  if (size > max || size > remaining()) {
    failed_ = true;
    return false;
  }
  return Bytes(static_cast<size_t>(size), v);
}

bool ByteReader::Skip(size_t n) {
  const char* at = nullptr;
  return Take(n, &at);
}

bool ByteReader::Count(uint32_t* v, size_t min_each) {
  if (!Varint32(v)) return false;
  if (min_each != 0 && *v > remaining() / min_each) {
    *v = 0;
    failed_ = true;
    return false;
  }
  return true;
}

}  // namespace dpl
