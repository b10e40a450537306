#include "runtime/audit/proof.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>

#include "runtime/audit/line.h"
#include "runtime/audit/reader.h"
#include "runtime/audit/recovery.h"
#include "runtime/audit/segment.h"
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
  std::vector<Digest> hashes;
  auto node = [&](int level, uint64_t index, Digest* out) { return nodes.Node(level, index, out); };
  if (!InclusionProof(seq, checkpoint->size, node, &hashes))
    return Error{"audit.damaged", "the hashes of the tree are not all there"};
  Result<std::unique_ptr<AuditReader>> reader = AuditReader::Open(folder, {.from = seq, .to = seq});
  if (!reader.ok()) return reader.error();
  AuditRecord record;
  Result<bool> more = (*reader)->Next(&record);
  if (!more.ok()) return more.error();
  if (!*more) return Error{"audit.missing", "record " + std::to_string(seq) + " is missing"};
  if (!CheckInclusion(seq, checkpoint->size, MerkleLeaf(record.line), hashes, checkpoint->root)) {
    return Error{"audit.damaged", "record " + std::to_string(seq) +
                                      " is not what was signed; `dplc audit verify` says more"};
  }
  std::string out;
  JsonWriter w(&out, 2);
  w.BeginObject().Member("format", kFormat);
  w.Key("index").Uint(seq).Key("tree_size").Uint(checkpoint->size);
  w.Member("line", record.line);
  w.Key("proof").BeginArray();
  for (const Digest& hash : hashes) w.String(Base64(hash));
  w.EndArray().Member("checkpoint", *note).EndObject();
  return out + "\n";
}

Result<CheckedProof> CheckProof(std::string_view proof, const AuditPublicKey& key) {
  Arena arena;
  Result<const WireValue*> root = ParseJson(proof, &arena, FileJsonLimits());
  if (!root.ok()) return root.error();
  const WireValue* members[6];
  constexpr std::string_view kNames[] = {"format", "index", "tree_size",
                                         "line",   "proof", "checkpoint"};
  for (size_t i = 0; i < 6; ++i) {
    members[i] = (*root)->Find(kNames[i]);
    const bool number = i == 1 || i == 2;
    if (members[i] == nullptr || (number   ? !members[i]->is_number()
                                  : i == 4 ? !members[i]->is_array()
                                           : !members[i]->is_string()))
      return Bad("not a proof: `" + std::string(kNames[i]) + "` is missing, or of another kind");
  }
  if (members[0]->text != kFormat) return Bad("its format is not " + std::string(kFormat));
  Result<Checkpoint> checkpoint = OpenCheckpoint(members[5]->text, key);
  if (!checkpoint.ok()) return checkpoint.error();
  CheckedProof out;
  out.checkpoint = checkpoint.take();
  const std::string_view index = members[1]->text;
  auto [stop, error] = std::from_chars(index.data(), index.data() + index.size(), out.seq);
  if (error != std::errc() || stop != index.data() + index.size())
    return Bad("its index is no number");
  if (members[2]->text != std::to_string(out.checkpoint.size))
    return Bad("its tree size is not that of its checkpoint");
  AuditLine line;
  if (!ParseAuditLine(members[3]->text, &line)) return Bad("its line is no line of a log");
  if (line.seq != out.seq) return Bad("its line is of another record than its index says");
  std::vector<Digest> hashes(members[4]->count);
  for (uint32_t i = 0; i < members[4]->count; ++i) {
    const WireValue& item = members[4]->items[i];
    if (!item.is_string() || !ParseBase64(item.text, &hashes[i]))
      return Bad("hash " + std::to_string(i + 1) + " of it cannot be read");
  }
  if (!CheckInclusion(out.seq, out.checkpoint.size, MerkleLeaf(members[3]->text), hashes,
                      out.checkpoint.root))
    return Bad(
        "the record is not in the log that the checkpoint signs: it, or a hash, was changed");
  out.time = line.time;
  out.record = line.record;
  return out;
}

}  // namespace dpl
