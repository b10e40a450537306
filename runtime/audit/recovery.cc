#include "runtime/audit/recovery.h"

#include <algorithm>

namespace dpl {

Error AuditDamaged(const std::string& file, uint64_t line, uint64_t byte, const std::string& what) {
  Error error{"audit.damaged", file + ": line " + std::to_string(line) + " (byte " +
                                   std::to_string(byte) + "): " + what};
  error.line = static_cast<uint32_t>(line);
  return error;
}

bool IsLogEvent(std::string_view record, std::string_view event) {
  std::string start = "{\"kind\":\"log\",\"event\":\"" + std::string(event) + "\"";
  return record.starts_with(start);
}

Result<bool> IsTornTail(LineReader* reader, LineReader::Found found, std::string_view bytes) {
  if (found == LineReader::Found::kEnd) return true;
  if (found == LineReader::Found::kLine && bytes.find('\0') == std::string_view::npos) return false;
  while (found == LineReader::Found::kLine) {
    Result<LineReader::Found> next = reader->Next(&bytes);
    if (!next.ok()) return next.error();
    found = *next;
    AuditLine line;
    if (found == LineReader::Found::kLine && ParseAuditLine(bytes, &line) && line.group)
      return false;
  }
  return true;
}

Result<OpenSegment> ScanOpenSegment(const std::string& folder, uint64_t first, TreeEnd start,
                                    const Checkpoint& signed_end) {
  const std::string file = SegmentName(first, AuditFile::kLines);
  Result<std::unique_ptr<LineReader>> reader = LineReader::Open(folder + "/" + file);
  if (!reader.ok()) return reader.error();
  OpenSegment out;
  out.first = first;
  out.end = std::move(start);
  uint64_t line_number = 0;
  bool closed = false;
  auto damaged = [&](const std::string& what) {
    return AuditDamaged(file, line_number, (*reader)->offset(),
                        what +
                            "; keep the folder as evidence and begin a new log in another one "
                            "(`dplc audit verify` says more)");
  };
  auto at_signed_end = [&] {
    return out.end.edge.size() != signed_end.size || out.end.edge.Root() == signed_end.root;
  };
  if (!at_signed_end()) return damaged("the records before it are not those of the checkpoint");
  for (;;) {
    std::string_view bytes;
    Result<LineReader::Found> found = (*reader)->Next(&bytes);
    if (!found.ok()) return found.error();
    const uint64_t seq = out.end.edge.size();
    if (*found == LineReader::Found::kEnd) break;
    ++line_number;
    AuditLine line;
    bool parsed = *found == LineReader::Found::kLine && ParseAuditLine(bytes, &line);
    if (!parsed || line.seq != seq || line.prev != Base64(out.end.last)) {
      Error here = damaged(!parsed           ? "this is no line of a log"
                           : line.seq != seq ? "record " + std::to_string(seq) + " is expected"
                                             : "the line before it was changed");
      const uint64_t begin = (*reader)->offset();
      const uint64_t rest = bytes.find_last_not_of('\0') + 1;
      Result<bool> torn = IsTornTail(reader->get(), *found, bytes);
      if (!torn.ok()) return torn.error();
      if (!*torn || seq < signed_end.size) return here;
      out.cut_bytes = std::max((*reader)->end(), begin + rest) - begin;
      break;
    }
    if (seq >= signed_end.size) {
      if (closed && !IsLogEvent(line.record, "opened"))
        return damaged("it was added after the log had been closed");
      closed = false;
      out.unsigned_lines.append(bytes).push_back('\n');
      ++out.unsigned_records;
    } else if (seq + 1 == signed_end.size) {
      closed = IsLogEvent(line.record, "closed");
    }
    out.earliest = std::min(out.earliest.value_or(line.time), line.time);
    out.latest = std::max(out.latest.value_or(line.time), line.time);
    out.end.last = MerkleLeaf(bytes);
    out.end.edge.Add(out.end.last, &out.hashes);
    out.bytes = (*reader)->end();
    if (!at_signed_end()) return damaged("the records up to here are not those of the checkpoint");
  }
  if (out.end.edge.size() < signed_end.size) {
    return damaged("the log ends with " + std::to_string(out.end.edge.size()) +
                   " records; its checkpoint has signed " + std::to_string(signed_end.size));
  }
  return out;
}

}  // namespace dpl
