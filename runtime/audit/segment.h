// The files of a log's folder. A segment is named by the number of its first record:
//
//   segment-0000000000000000.jsonl    its lines; behind them zeros, as long as it grows
//   segment-0000000000000000.hashes   the nodes of the tree that its lines complete (merkle.h)
//   segment-0000000000000000.seal     a checkpoint signed behind its last line, see AuditSeal
//   checkpoint                        the latest one
//   log.key, log.pub                  the key of the checkpoints
//   lock                              taken by the process that writes
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/audit/checkpoint.h"
#include "runtime/audit/merkle.h"
#include "runtime/base/instant.h"
#include "runtime/base/result.h"

namespace dpl {

enum class AuditFile : uint8_t { kLines, kHashes, kSeal };

std::string SegmentName(uint64_t first, AuditFile file);

struct SegmentFiles {
  uint64_t first = 0;
  bool lines = false, hashes = false, seal = false;
};
// In order; error "audit.file".
Result<std::vector<SegmentFiles>> ListSegments(const std::string& folder);

// What a seal says, in the lines behind its root, so that the signature covers it. It is enough to
// go on with the next segment when the lines of this one are gone.
struct AuditSeal {
  uint64_t first = 0, size = 0;  // records before it; and with it
  uint64_t bytes = 0;
  Instant earliest{}, latest{};
  Digest last{};    // leaf hash of its last line
  MerkleEdge edge;  // behind its last line
};
std::string SignSeal(const AuditSeal& seal, const std::string& origin, const Ed25519Key& key);
Result<AuditSeal> OpenSeal(std::string_view note, const AuditPublicKey& key);
Result<AuditSeal> ReadSeal(const std::string& folder, uint64_t first, const AuditPublicKey& key);

// A whole small file; error "audit.file" (a missing one has the code "audit.missing").
Result<std::string> ReadSmallFile(const std::string& path, size_t max = size_t{1} << 20);
Result<AuditPublicKey> ReadPublicKey(const std::string& folder);
Result<Checkpoint> ReadCheckpoint(const std::string& folder, const AuditPublicKey& key);

// The lines of one segment, in bounded memory.
class LineReader {
 public:
  // kRest: bytes behind the last newline that are not all zero; kEnd: nothing but zeros is left.
  // After either, a later Next looks again for what was written since.
  enum class Found : uint8_t { kLine, kRest, kEnd };

  static Result<std::unique_ptr<LineReader>> Open(const std::string& path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // `bytes`: the line without its newline (of a rest at most kMaxAuditLine); lives until the next
  // call.
  Result<Found> Next(std::string_view* bytes);
  void Back();  // to the beginning of the present bytes, to read them again
  uint64_t offset() const { return begin_; }  // where the bytes begin
  uint64_t end() const { return next_; }      // where the next line begins

 private:
  LineReader(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  int fd_;
  std::string path_;
  std::string buffer_;  // of the file, from buffer_at_ on
  std::string rest_;
  uint64_t buffer_at_ = 0;
  uint64_t begin_ = 0, next_ = 0;
};

}  // namespace dpl
