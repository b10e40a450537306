// The start of an audit log: a new one, or the old one from where it ended.
#include <unistd.h>

#include "runtime/audit/log_parts.h"
#include "runtime/json/json_writer.h"

namespace dpl {

AuditLog::Impl::Impl(const AuditOptions& options)
    : options_(options),
      clock_(options.clock == nullptr ? &system_clock_ : options.clock),
      disk_(options.disk == nullptr ? Disk::Real() : options.disk) {}

AuditLog::Impl::~Impl() { Close(); }

Result<AuditLog::Impl::Growing> AuditLog::Impl::MakeSegment(uint64_t first) {
  Growing made;
  made.first = first;
  Result<std::unique_ptr<AppendFile>> lines =
      AppendFile::Create(Path(first, AuditFile::kLines), "", disk_);
  if (!lines.ok()) return lines.error();
  Result<std::unique_ptr<AppendFile>> hashes =
      AppendFile::Create(Path(first, AuditFile::kHashes), "", disk_);
  if (!hashes.ok()) {
    unlink(Path(first, AuditFile::kLines).c_str());
    return hashes.error();
  }
  made.lines = lines.take();
  made.hashes = hashes.take();
  return made;
}

// A folder without segments. A checkpoint of nothing comes first: later, a missing one is a sign.
Result<Checkpoint> AuditLog::Impl::BeginLog() {
  Checkpoint empty{signer_->pub.name, 0, MerkleEdge().Root(), {}};
  const std::string path = options_.folder + "/checkpoint";
  DPL_RETURN_IF_ERROR(ReplaceFile(path, SignCheckpoint(empty, signer_->key), disk_));
  DPL_RETURN_IF_ERROR(SyncFolder(options_.folder));
  return empty;
}

Status AuditLog::Impl::ContinueSegment(OpenSegment scanned) {
  Result<std::unique_ptr<AppendFile>> lines =
      AppendFile::Reopen(Path(scanned.first, AuditFile::kLines), scanned.bytes, disk_);
  if (!lines.ok()) return lines.error();
  segment_.lines = lines.take();
  const uint64_t at = scanned.bytes - scanned.unsigned_lines.size();
  if (!scanned.unsigned_lines.empty())
    DPL_RETURN_IF_ERROR(segment_.lines->Again(scanned.unsigned_lines, at));
  const std::string path = Path(scanned.first, AuditFile::kHashes);
  DPL_RETURN_IF_ERROR(ReplaceFile(path, scanned.hashes, disk_));
  DPL_RETURN_IF_ERROR(SyncFolder(options_.folder));
  Result<std::unique_ptr<AppendFile>> hashes =
      AppendFile::Reopen(path, scanned.hashes.size(), disk_);
  if (!hashes.ok()) return hashes.error();
  segment_.hashes = hashes.take();
  segment_.first = scanned.first;
  segment_.earliest = scanned.earliest;
  segment_.latest = scanned.latest;
  end_ = std::move(scanned.end);
  return Status::Ok();
}

Status AuditLog::Impl::OpenLast(const std::vector<SegmentFiles>& segments,
                                const Checkpoint& signed_end) {
  std::optional<AuditSeal> seal;
  uint64_t unsealed = 0;
  for (size_t i = 0; i < segments.size(); ++i) {
    const SegmentFiles& s = segments[i];
    segments_ += s.lines ? 1 : 0;
    if (!s.seal && ++unsealed > 1)
      return AuditDamaged(SegmentName(segments[i - 1].first, AuditFile::kSeal), 1, 0,
                          "the seal of this segment is missing");
    if (!s.seal && i + 1 < segments.size() && segments[i + 1].seal)
      return AuditDamaged(SegmentName(s.first, AuditFile::kSeal), 1, 0,
                          "the seal of this segment is missing");
    if (s.seal && (i + 1 == segments.size() || !segments[i + 1].seal)) {
      Result<AuditSeal> read = ReadSeal(options_.folder, s.first, signer_->pub);
      if (!read.ok()) {
        return AuditDamaged(SegmentName(s.first, AuditFile::kSeal), 1, 0, read.error().message);
      }
      seal = read.take();
      end_ = {seal->edge, seal->last};
    }
  }
  const uint64_t first = end_.edge.size();
  uint64_t cut = 0, unsigned_records = 0;
  if (unsealed == 1) {
    if (segments.back().first != first)
      return AuditDamaged(SegmentName(segments.back().first, AuditFile::kLines), 1, 0,
                          "this segment should begin with record " + std::to_string(first));
    Result<OpenSegment> scanned = ScanOpenSegment(options_.folder, first, end_, signed_end);
    if (!scanned.ok()) return scanned.error();
    cut = scanned->cut_bytes;
    unsigned_records = scanned->unsigned_records;
    DPL_RETURN_IF_ERROR(ContinueSegment(scanned.take()));
  } else {
    if (signed_end.size > first ||
        (signed_end.size == first && signed_end.root != end_.edge.Root()))
      return AuditDamaged("checkpoint", 1, 0,
                          "it has signed " + std::to_string(signed_end.size) +
                              " records, the segments end with " + std::to_string(first));
    Result<Growing> made = MakeSegment(first);
    if (!made.ok()) return made.error();
    segment_ = made.take();
    ++segments_;
  }
  appended_ = kept_ = records_ = end_.edge.size();
  signed_ = signed_end.size;
  kept_edge_ = end_.edge;
  std::string json;
  JsonWriter w(&json);
  w.BeginObject().Member("kind", "log").Member("event", "opened");
  w.Key("unsigned").Uint(unsigned_records).Key("cut_bytes").Uint(cut).EndObject();
  Push(json, AuditSync::kNow);
  return Status::Ok();
}

Status AuditLog::Impl::Start() {
  DPL_RETURN_IF_ERROR(MakeFolder(options_.folder));
  DPL_RETURN_IF_ERROR(lock_.Take(options_.folder, "audit.locked"));
  Result<std::vector<SegmentFiles>> segments = ListSegments(options_.folder);
  if (!segments.ok()) return segments.error();
  // A segment is made before the one in front of it is sealed: a crash may leave it without a line.
  if (segments->size() > 1 && !segments->back().seal && !(*segments)[segments->size() - 2].seal) {
    const uint64_t first = segments->back().first;
    Result<std::unique_ptr<LineReader>> reader = LineReader::Open(Path(first, AuditFile::kLines));
    if (!reader.ok()) return reader.error();
    std::string_view bytes;
    Result<LineReader::Found> found = (*reader)->Next(&bytes);
    if (!found.ok()) return found.error();
    if (*found == LineReader::Found::kEnd) {
      unlink(Path(first, AuditFile::kLines).c_str());
      unlink(Path(first, AuditFile::kHashes).c_str());
      segments->pop_back();
    }
  }
  const bool fresh = segments->empty();
  Result<AuditSigner> signer =
      OpenAuditSigner(options_.folder, options_.key_path, options_.origin, fresh, disk_);
  if (!signer.ok()) return signer.error();
  signer_ = signer.take();
  Result<Checkpoint> signed_end = ReadCheckpoint(options_.folder, signer_->pub);
  if (!signed_end.ok() && fresh && signed_end.error().code == "audit.missing")
    signed_end = BeginLog();
  if (!signed_end.ok()) return AuditDamaged("checkpoint", 1, 0, signed_end.error().message);
  DPL_RETURN_IF_ERROR(OpenLast(*segments, *signed_end));
  signed_us_ = clock_->MonotonicUs();
  thread_ = std::thread([this] { Run(); });
  return Status::Ok();
}

}  // namespace dpl
