// The lines of one segment, held against what was signed about them.
#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/audit/verify_parts.h"
#include "runtime/base/arena.h"
#include "runtime/json/json.h"
#include "runtime/state/append_file.h"

namespace dpl {
namespace {

constexpr size_t kChunk = 256 * 1024;
constexpr std::string_view kSize = "the file has ";

bool IsJson(std::string_view text) {
  Arena arena;
  JsonLimits limits = FileJsonLimits();
  limits.positions = false;
  return ParseJson(text, &arena, limits).ok();
}

}  // namespace

// ---------------------------------------------------------------- the hashes of a sealed segment

Result<std::unique_ptr<HashFile>> HashFile::Open(const std::string& path, uint64_t first) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError("open", path, errno);
  struct stat info {};
  if (fstat(fd, &info) != 0) {
    close(fd);
    return FileError("read", path, errno);
  }
  return std::unique_ptr<HashFile>(new HashFile(fd, first, static_cast<uint64_t>(info.st_size)));
}

HashFile::~HashFile() { close(fd_); }

bool HashFile::Read(uint64_t at, std::string* out) {
  if (at < buffer_at_ || at + out->size() > buffer_at_ + buffer_.size()) {
    buffer_.resize(std::max(kChunk, out->size()));
    ssize_t count = pread(fd_, buffer_.data(), buffer_.size(), static_cast<off_t>(at));
    buffer_.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
    buffer_at_ = at;
    if (buffer_.size() < out->size()) return false;
  }
  out->assign(buffer_, at - buffer_at_, out->size());
  return true;
}

bool HashFile::Leaf(uint64_t seq, Digest* out) {
  std::string bytes(out->size(), '\0');
  if (seq < first_ || !Read((StoredIndex(0, seq) - StoredIndex(0, first_)) * 32, &bytes))
    return false;
  std::copy(bytes.begin(), bytes.end(), out->begin());
  return true;
}

// ---------------------------------------------------------------- sealed segments

// Whether the hashes are those that were signed: then they say of every line what it should be.
Result<bool> AuditVerifier::CheckHashes(HashFile* hashes, const AuditSeal& seal) {
  const std::string file = SegmentName(seal.first, AuditFile::kHashes);
  MerkleEdge edge = end_.edge;
  std::string nodes, there;
  uint64_t at = 0;
  while (edge.size() < seal.size) {
    Digest leaf;
    const uint64_t seq = edge.size();
    nodes.clear();
    if (!hashes->Leaf(seq, &leaf)) {
      Find("hashes", {file, 0, at}, seq, "the hash of this record is missing");
      return false;
    }
    edge.Add(leaf, &nodes);
    there.resize(nodes.size());
    if (!hashes->Read(at, &there) || there != nodes) {
      Find("hashes", {file, 0, at}, seq, "the hashes that follow from this record are others");
      return false;
    }
    at += nodes.size();
    if (!MeetsTargets(edge, {SegmentName(seal.first, AuditFile::kLines)})) return false;
  }
  if (edge.Root() != seal.edge.Root()) {
    Find("hashes", {file}, std::nullopt,
         "they give the root " + Base64(edge.Root()) + "; the seal has signed " +
             Base64(seal.edge.Root()));
    return false;
  }
  if (hashes->size() != at) {
    Find("hashes", {file, 0, at}, std::nullopt,
         std::string(kSize) + std::to_string(hashes->size()) + " bytes; " + std::to_string(at) +
             " are expected");
    return false;
  }
  return true;
}

Result<bool> AuditVerifier::Sealed(const SegmentFiles& files, const AuditSeal& seal) {
  const std::string name = SegmentName(files.first, AuditFile::kLines);
  const size_t before = out_.findings.size();
  Result<std::unique_ptr<LineReader>> lines = LineReader::Open(options_.folder + "/" + name);
  if (!lines.ok()) return lines.error();
  bool trusted = false;
  Result<std::unique_ptr<HashFile>> hashes = HashFile::Open(
      options_.folder + "/" + SegmentName(files.first, AuditFile::kHashes), files.first);
  if (hashes.ok()) {
    Result<bool> checked = CheckHashes(hashes->get(), seal);
    if (!checked.ok()) return checked;
    trusted = *checked;
  } else {
    Find("hashes", SegmentName(files.first, AuditFile::kHashes), hashes.error().message);
  }
  Result<bool> good = trusted ? AgainstHashes(lines->get(), hashes->get(), seal)
                              : ByChain(lines->get(), name, &seal, seal.size);
  if (!good.ok() || !*good) return good;
  end_ = {seal.edge, seal.last};
  return out_.findings.size() == before;
}

Result<bool> AuditVerifier::AgainstHashes(LineReader* lines, HashFile* hashes,
                                          const AuditSeal& seal) {
  Place place{SegmentName(seal.first, AuditFile::kLines)};
  std::string prev = Base64(end_.last);
  std::optional<Instant> earliest, latest;
  std::string_view bytes;
  Digest leaf{};
  for (uint64_t seq = seal.first; seq < seal.size; ++seq) {
    Result<LineReader::Found> found = lines->Next(&bytes);
    if (!found.ok()) return found.error();
    ++place.line;
    place.byte = lines->offset();
    Progress(done_bytes_ + place.byte);
    if (*found == LineReader::Found::kEnd) {
      Find(
          "missing", place, seq,
          "the segment ends here; records up to " + std::to_string(seal.size - 1) + " are missing");
      return false;
    }
    leaf = MerkleLeaf(bytes);
    Digest expected;
    if (!hashes->Leaf(seq, &expected)) return FileError("read", place.file, EIO);
    AuditLine line;
    if (*found != LineReader::Found::kLine || leaf != expected) {
      DiagnoseByHashes(lines, hashes, seal, seq, place, std::string(bytes), leaf);
      return false;
    }
    if (!ParseAuditLine(bytes, &line) || line.seq != seq || line.prev != prev) {
      Find("changed", place, seq, "this line was signed, but is not the next one of the chain");
      return false;
    }
    Look(line);
    earliest = std::min(earliest.value_or(line.time), line.time);
    latest = std::max(latest.value_or(line.time), line.time);
    prev = Base64(leaf);
  }
  Result<LineReader::Found> found = lines->Next(&bytes);
  if (!found.ok()) return found.error();
  ++place.line;
  place.byte = lines->offset();
  struct stat info {};
  const bool sized = stat((options_.folder + "/" + place.file).c_str(), &info) == 0 &&
                     static_cast<uint64_t>(info.st_size) == seal.bytes;
  if (*found != LineReader::Found::kEnd || !sized || lines->offset() != seal.bytes) {
    Find("inserted", place, seal.size,
         "the segment was sealed with " + std::to_string(seal.bytes) +
             " bytes; something stands behind them");
    return false;
  }
  if (earliest != seal.earliest || latest != seal.latest || leaf != seal.last) {
    Find("seal", SegmentName(seal.first, AuditFile::kSeal), "it does not fit its lines");
    return false;
  }
  return true;
}

void AuditVerifier::DiagnoseByHashes(LineReader* lines, HashFile* hashes, const AuditSeal& seal,
                                     uint64_t seq, Place place, const std::string& bytes,
                                     const Digest& leaf) {
  Digest expected{}, other{};
  hashes->Leaf(seq, &expected);
  AuditLine line;
  if (ParseAuditLine(bytes, &line) && line.seq != seq && line.seq >= seal.first &&
      line.seq < seal.size && hashes->Leaf(line.seq, &other) && other == leaf) {
    if (line.seq > seq) {
      Find("missing", place, seq,
           "record " + std::to_string(seq) + " is expected, record " + std::to_string(line.seq) +
               " stands here: what is between them is missing, or stands elsewhere");
    } else {
      Find("order", place, seq,
           "record " + std::to_string(seq) + " is expected, record " + std::to_string(line.seq) +
               " stands here again");
    }
    return;
  }
  std::string_view next;
  Result<LineReader::Found> found = lines->Next(&next);
  if (found.ok() && *found == LineReader::Found::kLine && MerkleLeaf(next) == expected) {
    Find("inserted", place, seq,
         "a line was inserted here; record " + std::to_string(seq) + " is the one behind it");
    return;
  }
  Find("changed", place, seq,
       "this line has the hash " + Base64(leaf) + "; record " + std::to_string(seq) +
           " was signed with " + Base64(expected));
}

// ---------------------------------------------------------------- by the chain alone

Result<bool> AuditVerifier::ByChain(LineReader* lines, const std::string& file,
                                    const AuditSeal* seal, std::optional<uint64_t> next) {
  previous_.clear();
  previous_place_ = {};
  before_previous_ = end_.edge;
  bool closed = false;
  Place place{file};
  const uint64_t least = next.value_or(signed_end_.size);
  for (;;) {
    std::string_view bytes;
    Result<LineReader::Found> found = lines->Next(&bytes);
    if (!found.ok()) return found.error();
    const uint64_t seq = end_.edge.size();
    if (*found == LineReader::Found::kEnd) break;
    ++place.line;
    place.byte = lines->offset();
    Progress(done_bytes_ + place.byte);
    AuditLine line;
    if (*found != LineReader::Found::kLine || !ParseAuditLine(bytes, &line) || line.seq != seq ||
        line.prev != Base64(end_.last) || (seal != nullptr && seq >= seal->size)) {
      const std::string here(bytes);
      if (!next.has_value() && seq >= signed_end_.size) {
        Result<bool> torn = IsTornTail(lines, *found, bytes);
        if (!torn.ok()) return torn;
        if (*torn) {
          if (!in_use_)
            Note(file + ": behind record " + std::to_string(seq) +
                 " stands a write that a crash cut off");
          return true;
        }
      }
      DiagnoseByChain(lines, place, *found, here);
      return false;
    }
    if (seq >= signed_end_.size && closed && !IsLogEvent(line.record, "opened")) {
      Find("inserted", place, seq, "the log had been closed before this line");
      return false;
    }
    closed = IsLogEvent(line.record, "closed") && seq < signed_end_.size;
    Look(line);
    previous_ = bytes;
    previous_place_ = place;
    before_previous_ = end_.edge;
    end_.last = MerkleLeaf(bytes);
    end_.edge.Add(end_.last);
    if (!MeetsTargets(end_.edge, place)) return false;
  }
  if (end_.edge.size() < least) {
    if (!previous_.empty() && !IsJson(previous_)) {  // two lines that have become one
      Find("changed", previous_place_, end_.edge.size() - 1, "this line is not JSON any more");
      return false;
    }
    ++place.line;
    place.byte = lines->end();
    Find("missing", place, end_.edge.size(),
         "the lines end here; " + std::to_string(least) + " records are expected");
    return false;
  }
  if (seal != nullptr && end_.edge.Root() != seal->edge.Root()) {
    Find("changed", previous_place_, end_.edge.size() - 1,
         "the segment has the root " + Base64(end_.edge.Root()) + "; its seal has signed " +
             Base64(seal->edge.Root()));
    return false;
  }
  return true;
}

void AuditVerifier::DiagnoseByChain(LineReader* lines, const Place& place, LineReader::Found found,
                                    const std::string& bytes) {
  const uint64_t seq = end_.edge.size();
  const std::string expected = "record " + std::to_string(seq) + " is expected";
  AuditLine line, before;
  const bool whole = found == LineReader::Found::kLine && ParseAuditLine(bytes, &line);
  const bool had_line = !previous_.empty() && ParseAuditLine(previous_, &before);
  if (had_line && !IsJson(previous_)) {
    Find("changed", previous_place_, seq - 1, "this line is not JSON any more");
    return;
  }
  if (!whole) {
    Find("changed", place, seq, expected + ", this is no line of a log");
    return;
  }
  const bool chained = line.prev == Base64(end_.last);
  if (line.seq != seq && chained) {
    Find("changed", place, seq, expected + ", this line says " + std::to_string(line.seq));
    return;
  }
  if (line.seq > seq) {
    Find("missing", place, seq,
         expected + ", record " + std::to_string(line.seq) +
             " stands here: what is between them is missing");
    return;
  }
  if (had_line && line.seq == before.seq && line.prev == before.prev) {
    Find(previous_ == bytes ? "order" : "inserted", place, seq,
         expected + ", this line and the one before it both say they are record " +
             std::to_string(line.seq));
    return;
  }
  if (line.seq < seq) {
    Find("order", place, seq, expected + ", record " + std::to_string(line.seq) + " stands here");
    return;
  }
  // The hash that this line names is not that of the line before it. Which of the two was changed?
  // The line behind it knows the hash of this one; without one, the next root knows both.
  const Digest leaf = MerkleLeaf(bytes);
  Digest named{};
  bool intact = false;
  if (had_line && ParseBase64(line.prev, &named)) {
    std::string_view next;
    AuditLine behind;
    Result<LineReader::Found> more = lines->Next(&next);
    if (more.ok() && *more == LineReader::Found::kLine && ParseAuditLine(next, &behind)) {
      intact = behind.prev == Base64(leaf);
    } else {
      MerkleEdge edge = before_previous_;
      edge.Add(named);
      edge.Add(leaf);
      auto is_root = [&](const Target& t) {
        return t.size == edge.size() && t.root == edge.Root();
      };
      intact = std::any_of(targets_.begin(), targets_.end(), is_root);
    }
  }
  if (intact) {
    Find("changed", previous_place_, seq - 1,
         "this line has the hash " + Base64(end_.last) + "; the one behind it names " +
             std::string(line.prev));
  } else {
    Find("changed", place, seq,
         "this line names " + std::string(line.prev) +
             " as the one before it, which has the hash " + Base64(end_.last));
  }
}

}  // namespace dpl
