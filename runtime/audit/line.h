// One line of the log: what it says about the record in front of it.
//
//   {"seq":17,"time":"2026-11-22T15:30:00.123456Z","prev":"<base64>","record":{…}}
//
// `prev` is the leaf hash of the line before (of nothing: 32 zero bytes). A line that begins a
// group has `"group":true` behind its number: everything before it was on disk when it was written,
// so that a start can tell what a crash cut off from what was damaged later.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/instant.h"
#include "runtime/base/sha256.h"

namespace dpl {

struct AuditLine {
  uint64_t seq = 0;
  bool group = false;
  Instant time{};
  std::string_view prev;    // base64
  std::string_view record;  // a view into the line
};

inline constexpr size_t kMaxAuditLine = (size_t{4} << 20) + 256;

// Writes lines; it keeps the text of the second that it wrote last.
class AuditLineWriter {
 public:
  void Append(std::string* out, uint64_t seq, bool group, Instant time, const Digest& prev,
              std::string_view record);

 private:
  int64_t second_ = INT64_MIN;
  std::string text_;
};

// Takes exactly what the writer gives; `record` is in braces and has no control characters, the
// rest of it is not looked at.
bool ParseAuditLine(std::string_view line, AuditLine* out);

// Whether a byte below 0x20 is in it: newlines, and the zeros of a block that never reached the
// disk.
bool HasLowControl(std::string_view text);

// "2026-11-22T15:30:00.123456Z", always with six digits.
std::string AuditTimeText(Instant time);

}  // namespace dpl
