// Reads the records of an audit log in order, in bounded memory, also while it is being written.
//
//   Result<std::unique_ptr<AuditReader>> reader = AuditReader::Open(folder, {.from = from});
//   AuditRecord record;
//   for (;;) {
//     Result<bool> more = (*reader)->Next(&record);
//     if (!more.ok()) …     // "audit.damaged", "audit.file"
//     if (!*more) break;    // the end for now; a later Next finds what has come since
//   }
//
// It checks that lines are lines of a log and their numbers follow each other, and nothing else:
// whether they are the ones that were written is the question of verify.h. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/instant.h"
#include "runtime/base/result.h"

namespace dpl {

struct AuditRecord {
  uint64_t seq = 0;
  Instant time{};
  std::string_view record;  // the JSON object that was appended, whole: terms are written out
  std::string_view line;    // all of its line as it stands in the log, without the newline
  std::string_view whole;   // the same with `record` in it
  bool terms = false;       // it is of use for records behind it, and says nothing by itself
  std::string_view sealed;  // of a decision: the record in which what a replay needs is sealed
  std::optional<uint64_t> shape;  // the record that has its shape
};

struct AuditRange {
  uint64_t from = 0, to = UINT64_MAX;  // numbers, both included
  std::optional<Instant> since;        // records of this time or later,
  std::optional<Instant> until;        // and before this one
};

class AuditReader {
 public:
  static Result<std::unique_ptr<AuditReader>> Open(const std::string& folder,
                                                   const AuditRange& range = {});
  ~AuditReader();
  AuditReader(const AuditReader&) = delete;
  AuditReader& operator=(const AuditReader&) = delete;

  // The views live until the next call.
  Result<bool> Next(AuditRecord* out);

 private:
  class Impl;
  explicit AuditReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace dpl
