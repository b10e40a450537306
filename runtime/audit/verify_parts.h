// The inside of verify.h: what is known while the segments are gone through.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/audit/line.h"
#include "runtime/audit/recovery.h"
#include "runtime/audit/verify.h"

namespace dpl {

// The leaf hashes of a sealed segment, in order, from its .hashes file.
class HashFile {
 public:
  static Result<std::unique_ptr<HashFile>> Open(const std::string& path, uint64_t first);
  ~HashFile();
  HashFile(const HashFile&) = delete;
  HashFile& operator=(const HashFile&) = delete;
  bool Leaf(uint64_t seq, Digest* out);
  bool Read(uint64_t at, std::string* out);  // as many bytes as `out` has
  uint64_t size() const { return size_; }

 private:
  HashFile(int fd, uint64_t first, uint64_t size) : fd_(fd), first_(first), size_(size) {}
  int fd_;
  uint64_t first_, size_;
  std::string buffer_;
  uint64_t buffer_at_ = 0;
};

class AuditVerifier {
 public:
  explicit AuditVerifier(const AuditVerifyOptions& options) : options_(options) {}
  Result<AuditVerification> Run();

 private:
  struct Target {  // a root that the tree must have at this size
    uint64_t size;
    Digest root;
    std::string name;
  };
  // Where a line stands.
  struct Place {
    std::string file;
    uint64_t line = 0, byte = 0;
  };

  // ---- verify.cc
  Status ReadKey();
  void ReadCheckpoints();
  Status Segment(const SegmentFiles& files, std::optional<uint64_t> next);
  void Note(std::string text);
  void Finish();
  void Find(std::string code, const Place& place, std::optional<uint64_t> seq, std::string message);
  void Find(std::string code, const std::string& file, std::string message) {
    Find(std::move(code), {file}, std::nullopt, std::move(message));
  }
  // Compares the tree with the targets of its size; false, with a finding, when one differs.
  bool MeetsTargets(const MerkleEdge& edge, const Place& place);
  void Look(const AuditLine& line);  // at an intact record
  void Progress(uint64_t bytes);

  // ---- verify_segment.cc
  // False, with findings, when the segment is not as it was written.
  Result<bool> Sealed(const SegmentFiles& files, const AuditSeal& seal);
  Result<bool> CheckHashes(HashFile* hashes, const AuditSeal& seal);
  Result<bool> AgainstHashes(LineReader* lines, HashFile* hashes, const AuditSeal& seal);
  void DiagnoseByHashes(LineReader* lines, HashFile* hashes, const AuditSeal& seal, uint64_t seq,
                        Place place, const std::string& bytes, const Digest& leaf);
  // By the chain alone: the segment that is written, or one whose hashes are not to be trusted.
  // `next`: the first record of the segment behind it, where there is one.
  Result<bool> ByChain(LineReader* lines, const std::string& file, const AuditSeal* seal,
                       std::optional<uint64_t> next);
  void DiagnoseByChain(LineReader* lines, const Place& place, LineReader::Found found,
                       const std::string& bytes);

  const AuditVerifyOptions& options_;
  AuditVerification out_;
  AuditPublicKey key_;
  std::vector<Target> targets_;  // by size
  Checkpoint signed_end_;
  bool in_use_ = false;

  TreeEnd end_;           // behind what was verified
  uint64_t removed_ = 0;  // records before it have only seals left
  uint64_t pruned_ = 0;   // and before this one the log says so
  std::optional<Instant> last_time_;
  uint64_t steps_back_ = 0, first_step_back_ = 0;
  uint64_t total_bytes_ = 0, done_bytes_ = 0, told_bytes_ = 0;

  // By the chain: the line before, and the tree before it.
  std::string previous_;
  Place previous_place_;
  MerkleEdge before_previous_;
};

}  // namespace dpl
