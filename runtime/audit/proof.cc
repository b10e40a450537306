#include "runtime/audit/proof.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>

#include "runtime/audit/line.h"
#include "runtime/audit/reader.h"
#include "runtime/audit/recovery.h"
#include "runtime/audit/segment.h"
#include "runtime/audit/terms.h"
#include "runtime/audit/verify_parts.h"
#include "runtime/base/arena.h"
#include "runtime/json/json.h"
#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

constexpr std::string_view kFormat = "dpl-audit-proof/1";

// Complete nodes of the tree, from the hashes of sealed segments, from the peaks in front of what
// was removed, and from the lines of the segment that is written.
class NodeStore {
 public:
  NodeStore(std::string folder, AuditPublicKey key)
      : folder_(std::move(folder)), key_(std::move(key)) {}

  Status Open(const Checkpoint& signed_end) {
    Result<std::vector<SegmentFiles>> segments = ListSegments(folder_);
    if (!segments.ok()) return segments.error();
    for (const SegmentFiles& s : *segments) {
      if (s.seal) {
        Result<AuditSeal> seal = ReadSeal(folder_, s.first, key_);
        if (!seal.ok())
          return AuditDamaged(SegmentName(s.first, AuditFile::kSeal), 1, 0, seal.error().message);
        end_ = {seal->edge, seal->last};
        sealed_[seal->size] = s;
        if (!s.lines) removed_ = seal->edge;
        continue;
      }
      // The checkpoint may be of a moment before the last seal.
      const Checkpoint at =
          signed_end.size >= s.first ? signed_end : Checkpoint{{}, s.first, end_.edge.Root(), {}};
      Result<OpenSegment> scanned = ScanOpenSegment(folder_, s.first, end_, at);
      if (!scanned.ok()) return scanned.error();
      open_ = scanned.take();
      break;
    }
    return Status::Ok();
  }

  uint64_t removed() const { return removed_.size(); }

  bool Node(int level, uint64_t index, Digest* out) {
    const uint64_t end = (index + 1) << level;
    if (end <= removed_.size()) {
      uint64_t at = 0;
      for (const Digest& peak : removed_.peaks()) {
        const uint64_t size = std::bit_floor(removed_.size() - at);
        *out = peak;
        if (at + size == end && size == uint64_t{1} << level) return true;
        at += size;
      }
      return false;
    }
    if (open_.has_value() && end > open_->first) {
      const uint64_t at = (StoredIndex(level, index) - StoredIndex(0, open_->first)) * 32;
      if (at + 32 > open_->hashes.size()) return false;
      std::copy_n(open_->hashes.begin() + static_cast<std::ptrdiff_t>(at), 32, out->begin());
      return true;
    }
    auto segment = sealed_.lower_bound(end);
    if (segment == sealed_.end()) return false;
    const uint64_t first = segment->second.first;
    Result<std::unique_ptr<HashFile>> file =
        HashFile::Open(folder_ + "/" + SegmentName(first, AuditFile::kHashes), first);
    std::string bytes(32, '\0');
    if (!file.ok() ||
        !(*file)->Read((StoredIndex(level, index) - StoredIndex(0, first)) * 32, &bytes))
      return false;
    std::copy(bytes.begin(), bytes.end(), out->begin());
    return true;
  }

 private:
  std::string folder_;
  AuditPublicKey key_;
  std::map<uint64_t, SegmentFiles> sealed_;  // by size
  MerkleEdge removed_;
  TreeEnd end_;
  std::optional<OpenSegment> open_;
};

Error Bad(std::string message) { return {"audit.proof", std::move(message)}; }

}  // namespace

Result<std::string> ProveRecord(const std::string& folder, uint64_t seq) {
  Result<AuditPublicKey> key = ReadPublicKey(folder);
  if (!key.ok()) return key.error();
  // The checkpoint first: what is read after it covers it.
  Result<std::string> note = ReadSmallFile(folder + "/checkpoint");
  if (!note.ok()) return note.error();
  Result<Checkpoint> checkpoint = OpenCheckpoint(*note, *key);
  if (!checkpoint.ok()) return checkpoint.error();
  if (seq >= checkpoint->size) {
    return Error{"audit.unsigned", "record " + std::to_string(seq) +
                                       " is not signed yet: the last checkpoint covers " +
                                       std::to_string(checkpoint->size) + " records"};
  }
  NodeStore nodes(folder, *key);
  DPL_RETURN_IF_ERROR(nodes.Open(*checkpoint));
  if (seq < nodes.removed())
    return Error{"audit.removed", "record " + std::to_string(seq) + " was removed (retention)"};
  auto node = [&](int level, uint64_t index, Digest* out) { return nodes.Node(level, index, out); };
  // The members that prove one record; `shape`: receives which record has its shape.
  auto prove = [&](uint64_t index, JsonWriter* w, std::optional<uint64_t>* shape) -> Status {
    std::vector<Digest> hashes;
    if (!InclusionProof(index, checkpoint->size, node, &hashes))
      return Error{"audit.damaged", "the hashes of the tree are not all there"};
    Result<std::unique_ptr<AuditReader>> reader =
        AuditReader::Open(folder, {.from = index, .to = index});
    if (!reader.ok()) return reader.error();
    AuditRecord record;
    Result<bool> more = (*reader)->Next(&record);
    if (!more.ok()) return more.error();
    if (!*more) return Error{"audit.missing", "record " + std::to_string(index) + " is missing"};
    if (!CheckInclusion(index, checkpoint->size, MerkleLeaf(record.line), hashes,
                        checkpoint->root)) {
      return Error{"audit.damaged", "record " + std::to_string(index) +
                                        " is not what was signed; `dplc audit verify` says more"};
    }
    w->Key("index").Uint(index).Key("tree_size").Uint(checkpoint->size);
    w->Member("line", record.line);
    w->Key("proof").BeginArray();
    for (const Digest& hash : hashes) w->String(Base64(hash));
    w->EndArray();
    if (shape != nullptr) *shape = record.shape;
    return Status::Ok();
  };
  std::string out;
  JsonWriter w(&out, 2);
  w.BeginObject().Member("format", kFormat);
  std::optional<uint64_t> shape;
  DPL_RETURN_IF_ERROR(prove(seq, &w, &shape));
  w.Member("checkpoint", *note);
  if (shape.has_value()) {
    w.Key("shape").BeginObject();
    DPL_RETURN_IF_ERROR(prove(*shape, &w, nullptr));
    w.EndObject();
  }
  w.EndObject();
  return out + "\n";
}

namespace {

struct ProvedLine {
  AuditLine line;  // views into the proof
  uint64_t index = 0;
};

// One record's members of a proof.
Result<ProvedLine> CheckLine(const WireValue& object, const Checkpoint& checkpoint) {
  const WireValue* members[4];
  constexpr std::string_view kNames[] = {"index", "tree_size", "line", "proof"};
  for (size_t i = 0; i < 4; ++i) {
    members[i] = object.Find(kNames[i]);
    if (members[i] == nullptr || (i < 2    ? !members[i]->is_number()
                                  : i == 3 ? !members[i]->is_array()
                                           : !members[i]->is_string()))
      return Bad("not a proof: `" + std::string(kNames[i]) + "` is missing, or of another kind");
  }
  ProvedLine out;
  const std::string_view index = members[0]->text;
  auto [stop, error] = std::from_chars(index.data(), index.data() + index.size(), out.index);
  if (error != std::errc() || stop != index.data() + index.size())
    return Bad("its index is no number");
  if (members[1]->text != std::to_string(checkpoint.size))
    return Bad("its tree size is not that of its checkpoint");
  if (!ParseAuditLine(members[2]->text, &out.line)) return Bad("its line is no line of a log");
  if (out.line.seq != out.index) return Bad("its line is of another record than its index says");
  std::vector<Digest> hashes(members[3]->count);
  for (uint32_t i = 0; i < members[3]->count; ++i) {
    const WireValue& item = members[3]->items[i];
    if (!item.is_string() || !ParseBase64(item.text, &hashes[i]))
      return Bad("hash " + std::to_string(i + 1) + " of it cannot be read");
  }
  if (!CheckInclusion(out.index, checkpoint.size, MerkleLeaf(members[2]->text), hashes,
                      checkpoint.root))
    return Bad(
        "the record is not in the log that the checkpoint signs: it, or a hash, was changed");
  return out;
}

}  // namespace

Result<CheckedProof> CheckProof(std::string_view proof, const AuditPublicKey& key) {
  Arena arena;
  JsonLimits limits = FileJsonLimits();
  limits.max_string = limits.max_bytes;  // a line
  Result<const WireValue*> root = ParseJson(proof, &arena, limits);
  if (!root.ok()) return root.error();
  const WireValue *format = (*root)->Find("format"), *note = (*root)->Find("checkpoint");
  if (format == nullptr || !format->is_string() || note == nullptr || !note->is_string())
    return Bad("not a proof: `format` or `checkpoint` is missing, or of another kind");
  if (format->text != kFormat) return Bad("its format is not " + std::string(kFormat));
  Result<Checkpoint> checkpoint = OpenCheckpoint(note->text, key);
  if (!checkpoint.ok()) return checkpoint.error();
  Result<ProvedLine> line = CheckLine(**root, *checkpoint);
  if (!line.ok()) return line.error();
  CheckedProof out;
  out.checkpoint = checkpoint.take();
  out.seq = line->index;
  out.time = line->line.time;
  out.record = line->line.record;
  // The record names the one that has its shape, which is proved in the same way.
  if (const WireValue* shape = (*root)->Find("shape"); shape != nullptr && shape->is_object()) {
    Result<ProvedLine> proved = CheckLine(*shape, out.checkpoint);
    if (!proved.ok()) return proved.error();
    AuditTermTable table;
    (void)table.Learn(proved->line.record, proved->index);
    if (!table.Shape(line->line.record, out.time, &out.record))
      return Bad("its shape is not the one that the record names");
  }
  return out;
}

}  // namespace dpl
