#include "runtime/audit/verify.h"

#include <algorithm>

#include <sys/stat.h>

#include "runtime/audit/verify_parts.h"
#include "runtime/base/arena.h"
#include "runtime/json/json.h"
#include "runtime/state/append_file.h"

namespace dpl {
namespace {

constexpr uint64_t kTellBytes = uint64_t{32} << 20;
constexpr size_t kMaxNotes = 50;

std::string Records(uint64_t from, uint64_t to) {
  if (from + 1 == to) return "record " + std::to_string(from);
  return "records " + std::to_string(from) + " to " + std::to_string(to - 1);
}

uint64_t Number(const WireValue* object, std::string_view name) {
  const WireValue* value = object->Find(name);
  if (value == nullptr || !value->is_number() || value->text.size() > 19) return 0;
  uint64_t out = 0;
  for (char c : value->text) {
    if (c < '0' || c > '9') return 0;
    out = out * 10 + static_cast<uint64_t>(c - '0');
  }
  return out;
}

}  // namespace

void AuditVerifier::Find(std::string code, const Place& place, std::optional<uint64_t> seq,
                         std::string message) {
  if (out_.findings.size() < options_.max_findings)
    out_.findings.push_back(
        {std::move(code), place.file, place.line, place.byte, seq, std::move(message)});
}

void AuditVerifier::Note(std::string text) {
  if (out_.notes.size() < kMaxNotes) out_.notes.push_back(std::move(text));
}

void AuditVerifier::Progress(uint64_t bytes) {
  if (!options_.progress || bytes < told_bytes_ + kTellBytes) return;
  told_bytes_ = bytes;
  options_.progress(bytes, total_bytes_);
}

Status AuditVerifier::ReadKey() {
  Result<AuditPublicKey> own = ReadPublicKey(options_.folder);
  if (options_.key.has_value()) {
    key_ = *options_.key;
    if (!own.ok()) {
      Find("key", "log.pub", own.error().message);
    } else if (own->line() != key_.line()) {
      Find("key", "log.pub",
           "the folder names the key " + own->line() + ", the one given is " + key_.line());
    }
  } else {
    if (!own.ok()) return own.error();
    key_ = own.take();
    Note(
        "checked with the key of the folder itself; a key that you keep elsewhere "
        "(--key) also shows a log that was made anew");
  }
  out_.origin = key_.name;
  out_.key_id = Hex(key_.id());
  return Status::Ok();
}

void AuditVerifier::ReadCheckpoints() {
  Result<Checkpoint> own = ReadCheckpoint(options_.folder, key_);
  if (own.ok()) {
    signed_end_ = own.take();
    if (!signed_end_.lines.empty()) Find("checkpoint", "checkpoint", "it has lines of its own");
    targets_.push_back({signed_end_.size, signed_end_.root, "checkpoint"});
  } else {
    Find("checkpoint", "checkpoint", own.error().message);
  }
  out_.signed_size = signed_end_.size;
  for (const NamedCheckpoint& given : options_.checkpoints) {
    Result<Checkpoint> checkpoint = OpenCheckpoint(given.note, key_);
    if (checkpoint.ok()) {
      targets_.push_back({checkpoint->size, checkpoint->root, given.name});
    } else {
      Find("checkpoint", given.name, checkpoint.error().message);
    }
  }
  std::stable_sort(targets_.begin(), targets_.end(),
                   [](const Target& a, const Target& b) { return a.size < b.size; });
}

bool AuditVerifier::MeetsTargets(const MerkleEdge& edge, const Place& place) {
  auto at = std::lower_bound(targets_.begin(), targets_.end(), edge.size(),
                             [](const Target& t, uint64_t size) { return t.size < size; });
  bool meets = true;
  for (; at != targets_.end() && at->size == edge.size(); ++at) {
    Digest root = edge.Root();
    if (root == at->root) continue;
    meets = false;
    Find("changed", place, edge.size() == 0 ? 0 : edge.size() - 1,
         "the root of the first " + std::to_string(edge.size()) + " records is " + Base64(root) +
             "; " + at->name + " has signed " + Base64(at->root) +
             ": this record was changed, or several up to it together");
  }
  return meets;
}

// What the log says about itself.
void AuditVerifier::Look(const AuditLine& line) {
  if (last_time_.has_value() && line.time < *last_time_ && steps_back_++ == 0)
    first_step_back_ = line.seq;
  last_time_ = line.time;
  if (!line.record.starts_with("{\"kind\":\"log\",")) return;
  Arena arena;
  Result<const WireValue*> root = ParseJson(line.record, &arena);
  const WireValue* event = root.ok() ? (*root)->Find("event") : nullptr;
  if (event == nullptr) return;
  const std::string at = "record " + std::to_string(line.seq) + " (" + AuditTimeText(line.time);
  if (event->text == "pruned") {
    pruned_ = std::max(pruned_, Number(*root, "before_seq"));
  } else if (event->text == "gap") {
    uint64_t lost = Number(*root, "dropped") + Number(*root, "refused");
    const char* how = (*root)->Find("dropped") != nullptr ? "dropped" : "refused";
    Note(at + "): " + std::to_string(lost) + " records were " + how +
         ", because the log could not be written");
  } else if (event->text == "opened") {
    if (uint64_t cut = Number(*root, "cut_bytes"); cut > 0)
      Note(at + "): a crash had cut off a write of at least " + std::to_string(cut) +
           " bytes, never promised");
    if (uint64_t count = Number(*root, "unsigned"); count > 0)
      Note(at + "): the " + std::to_string(count) +
           " records before it were found unsigned after a crash");
  }
}

// One segment, from end_ on.
Status AuditVerifier::Segment(const SegmentFiles& files, std::optional<uint64_t> next) {
  const std::string name = SegmentName(files.first, AuditFile::kLines);
  const uint64_t expected = end_.edge.size();
  std::optional<AuditSeal> seal;
  if (files.seal) {
    Result<AuditSeal> read = ReadSeal(options_.folder, files.first, key_);
    if (read.ok()) {
      seal = read.take();
    } else {
      Find("seal", SegmentName(files.first, AuditFile::kSeal), read.error().message);
    }
  } else if (next.has_value()) {
    Find("seal", SegmentName(files.first, AuditFile::kSeal), "the seal is missing");
  }
  bool known = files.first == expected;
  if (files.first > expected) {
    Find("missing", {name}, expected,
         Records(expected, files.first) + " are missing in front of this segment");
  } else if (files.first < expected) {
    Find("order", {name}, expected,
         "record " + std::to_string(expected) + " is expected next; this segment begins with " +
             std::to_string(files.first));
    return Status::Ok();
  }
  if (known && !files.lines && seal.has_value()) {
    if (removed_ == files.first) {
      removed_ = seal->size;
    } else {
      Find("missing", {name}, files.first,
           "the lines of a segment are missing: " + Records(seal->first, seal->size));
    }
    MeetsTargets(seal->edge, {SegmentName(files.first, AuditFile::kSeal)});
  } else if (known && files.lines) {
    ++out_.segments;
    bool good = false;
    if (seal.has_value()) {
      Result<bool> checked = Sealed(files, *seal);
      if (!checked.ok()) return checked.error();
      good = *checked;
    } else {
      Result<std::unique_ptr<LineReader>> lines = LineReader::Open(options_.folder + "/" + name);
      if (!lines.ok()) return lines.error();
      Result<bool> checked = ByChain(lines->get(), name, nullptr, next);
      if (!checked.ok()) return checked.error();
      good = *checked;
    }
    struct stat info {};
    if (stat((options_.folder + "/" + name).c_str(), &info) == 0)
      done_bytes_ += static_cast<uint64_t>(info.st_size);
    if (good) return Status::Ok();
  }
  if (seal.has_value()) end_ = {seal->edge, seal->last};
  return Status::Ok();
}

// What can only be said at the end.
void AuditVerifier::Finish() {
  const uint64_t size = end_.edge.size();
  // A damaged segment has been told already; what stands behind it is not known.
  const bool whole = out_.findings.empty();
  for (const Target& target : targets_) {
    if (target.size > size && whole) {
      Find("missing", {target.name}, size,
           "it has signed " + std::to_string(target.size) + " records, the log ends with " +
               std::to_string(size) + ": " + Records(size, target.size) + " are missing");
    } else if (target.size < removed_ && target.size > 0) {
      Note(target.name + " covers records that were removed; it was not compared");
    }
  }
  if (removed_ > pruned_) {
    Find("missing", {SegmentName(0, AuditFile::kLines)}, pruned_,
         Records(pruned_, removed_) + " are gone, and no record says that they were removed");
  } else if (removed_ > 0) {
    Note(Records(0, removed_) + " were removed (retention)");
  }
  if (steps_back_ > 0) {
    Note("the clock went back " + std::to_string(steps_back_) + " times, first at record " +
         std::to_string(first_step_back_) + "; the order of the records is that of their numbers");
  }
  if (whole && size > signed_end_.size) {
    Note(Records(signed_end_.size, size) + " are not signed yet" +
         (in_use_ ? "" : ": the process that wrote them did not end by itself"));
  }
  out_.first = removed_;
  out_.size = size;
  out_.root = end_.edge.Root();
}

Result<AuditVerification> AuditVerifier::Run() {
  in_use_ = !FolderLock().Share(options_.folder);
  DPL_RETURN_IF_ERROR(ReadKey());
  ReadCheckpoints();  // before the segments are listed: those only grow
  Result<std::vector<SegmentFiles>> segments = ListSegments(options_.folder);
  if (!segments.ok()) return segments.error();
  for (const SegmentFiles& s : *segments) {
    struct stat info {};
    const std::string path = options_.folder + "/" + SegmentName(s.first, AuditFile::kLines);
    if (s.lines && stat(path.c_str(), &info) == 0)
      total_bytes_ += static_cast<uint64_t>(info.st_size);
  }
  if (segments->empty())
    Find("missing", {SegmentName(0, AuditFile::kLines)}, 0, "the folder has no segment");
  MeetsTargets(end_.edge, {"checkpoint"});
  // The next segment is made before the present one is sealed: a crash may leave it without a line.
  if (segments->size() > 1 && !(*segments)[segments->size() - 2].seal) {
    const uint64_t last = segments->back().first;
    Result<std::unique_ptr<LineReader>> lines =
        LineReader::Open(options_.folder + "/" + SegmentName(last, AuditFile::kLines));
    std::string_view bytes;
    if (lines.ok()) {
      Result<LineReader::Found> found = (*lines)->Next(&bytes);
      if (found.ok() && *found == LineReader::Found::kEnd) {
        segments->pop_back();
        Note(SegmentName(segments->back().first, AuditFile::kSeal) +
             ": there is no seal, and the next segment is empty: a crash came in between, or the "
             "seal was removed; its records are judged by the checkpoint");
      }
    }
  }
  for (size_t i = 0; i < segments->size(); ++i) {
    std::optional<uint64_t> next;
    if (i + 1 < segments->size()) next = (*segments)[i + 1].first;
    DPL_RETURN_IF_ERROR(Segment((*segments)[i], next));
  }
  out_.bytes = done_bytes_;
  Finish();
  return std::move(out_);
}

Result<AuditVerification> VerifyAudit(const AuditVerifyOptions& options) {
  return AuditVerifier(options).Run();
}

}  // namespace dpl
