// What a start finds at the end of a log: the segment that was being written when the process
// before this one ended, however it ended.
//
// A group that a crash cut off was never promised: it is cut away. Everything else that does not
// fit is damage, and the log is not continued.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/audit/line.h"
#include "runtime/audit/segment.h"

namespace dpl {

// The tree behind some record, and the leaf hash of that record's line.
struct TreeEnd {
  MerkleEdge edge;
  Digest last{};
};

// The segment that is written, as it is on disk.
struct OpenSegment {
  uint64_t first = 0;
  uint64_t bytes = 0;      // of its whole lines
  uint64_t cut_bytes = 0;  // behind them, left by a crash
  std::optional<Instant> earliest, latest;
  TreeEnd end;
  std::string hashes;          // what its .hashes file should hold
  std::string unsigned_lines;  // those that no checkpoint covers, at the end of its bytes
  uint64_t unsigned_records = 0;
};

// Reads the segment from `start` on. `signed_end` is the latest checkpoint. Error "audit.damaged".
Result<OpenSegment> ScanOpenSegment(const std::string& folder, uint64_t first, TreeEnd start,
                                    const Checkpoint& signed_end);

// Whether what stands from the reader's present bytes on can be what a crash leaves of one write:
// zeros in place of blocks, an end in the middle of a line, and no line that begins a later group.
Result<bool> IsTornTail(LineReader* reader, LineReader::Found found, std::string_view bytes);

// Whether a record is the log's own, of this event ("closed").
bool IsLogEvent(std::string_view record, std::string_view event);

// "audit.damaged", with the place.
Error AuditDamaged(const std::string& file, uint64_t line, uint64_t byte, const std::string& what);

}  // namespace dpl
