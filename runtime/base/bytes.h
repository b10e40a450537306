// Bounds-checked binary input and output: little-endian integers, varints, counted strings.
//
//   std::string out;  ByteWriter w(&out);  w.U32(7);  w.String("abc");
//   ByteReader r(out);  uint32_t n;  std::string_view s;
//   if (!r.U32(&n) || !r.String(&s)) return Error{...};
//
// The reader never reads past its end. A read that does not fit returns false, writes zero or an
// empty view, and makes `failed()` true for good: every later read fails too, so a decoder may
// read a whole record and ask once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dpl {

class ByteWriter {
 public:
  explicit ByteWriter(std::string* out) : out_(out) {}  // appends; the caller owns `out`

  void U8(uint8_t v);
  void U16(uint16_t v);
  void U32(uint32_t v);
  void U64(uint64_t v);
  void I32(int32_t v) { U32(static_cast<uint32_t>(v)); }
  void I64(int64_t v) { U64(static_cast<uint64_t>(v)); }
  void Varint(uint64_t v);              // LEB128, shortest form
  void SignedVarint(int64_t v);         // zigzag, then Varint
  void String(std::string_view bytes);  // Varint length, then the bytes
  void Bytes(std::string_view bytes);   // the bytes alone

  size_t size() const { return out_->size(); }
  void PatchU32(size_t at, uint32_t v);  // overwrites 4 bytes written before

 private:
  std::string* out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}  // views into `bytes` are returned

  bool U8(uint8_t* v);
  bool U16(uint16_t* v);
  bool U32(uint32_t* v);
  bool U64(uint64_t* v);
  bool I32(int32_t* v);
  bool I64(int64_t* v);
  bool Varint(uint64_t* v);    // only the shortest form is taken, so one value has one spelling
  bool Varint32(uint32_t* v);  // the same, and fails above 2^32-1
  bool SignedVarint(int64_t* v);
  bool String(std::string_view* v, size_t max = SIZE_MAX);
  bool Bytes(size_t n, std::string_view* v);
  bool Skip(size_t n);

  // A count of things to come, each at least `min_each` bytes: fails when they cannot all fit, so
  // a hostile count never sizes an allocation.
  bool Count(uint32_t* v, size_t min_each = 1);

  size_t position() const { return at_; }
  size_t remaining() const { return bytes_.size() - at_; }
  bool at_end() const { return at_ == bytes_.size(); }
  bool failed() const { return failed_; }
  void Fail() { failed_ = true; }  // a decoder's own objection, kept like any other

 private:
  bool Take(size_t n, const char** at);

  std::string_view bytes_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace dpl
