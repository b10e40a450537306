// Anything given as a line, a segment, a checkpoint, a seal, a key or a proof of an audit log:
// never a crash, and nothing is taken for signed that was not.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

#include "runtime/audit/line.h"
#include "runtime/audit/proof.h"
#include "runtime/audit/recovery.h"
#include "runtime/audit/segment.h"
#include "runtime/audit/sentence.h"
#include "runtime/base/base64.h"
#include "runtime/base/text.h"

namespace {

using namespace dpl;

// Of tests/golden/audit/log. Its private key is gone: whatever is found signed was signed there.
constexpr std::string_view kKey =
    "audit.example/dpl+42e63fe0+AXRVIzFLwD5IFJe99PRai+lHbrkqAYZ4bjP89Hy+rPRm";
constexpr uint64_t kSizes[] = {11, 21, 22};

void Require(bool condition) {
  if (!condition) std::abort();
}

void TryLine(std::string_view bytes) {
  AuditLine line;
  if (!ParseAuditLine(bytes, &line)) return;
  Require(bytes.find('\n') == std::string_view::npos);
  Digest prev;
  if (ParseBase64(line.prev, &prev)) {  // one spelling for each line
    std::string again;
    AuditLineWriter().Append(&again, line.seq, line.group, line.time, prev, line.record);
    Require(again == std::string(bytes) + "\n");
  }
  const std::string sentence = AuditSentence(line.seq, line.time, line.record);
  Require(IsValidUtf8(sentence) && !HasControl(sentence) && !HasBidiOrInvisible(sentence));
}

void TryLines(std::string_view bytes) {
  int fd = memfd_create("segment", MFD_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())) {
    auto reader = LineReader::Open("/proc/self/fd/" + std::to_string(fd));
    Require(reader.ok());
    uint64_t end = 0;
    for (;;) {
      std::string_view line;
      Result<LineReader::Found> found = (*reader)->Next(&line);
      Require(found.ok() && (*reader)->offset() == end);
      if (*found != LineReader::Found::kLine) {
        (void)IsTornTail(reader->get(), *found, line);
        break;
      }
      TryLine(line);
      end = (*reader)->end();
    }
  }
  close(fd);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const AuditPublicKey key = ParseAuditPublicKey(kKey).value();
  TryLine(bytes);
  TryLines(bytes);
  auto was_signed = [](const Checkpoint& c) {
    return c.size == kSizes[0] || c.size == kSizes[1] || c.size == kSizes[2];
  };
  if (Result<Checkpoint> c = OpenCheckpoint(bytes, key); c.ok()) Require(was_signed(*c));
  if (Result<AuditSeal> s = OpenSeal(bytes, key); s.ok()) Require(s->size == 11 || s->size == 21);
  if (Result<AuditPublicKey> k = ParseAuditPublicKey(bytes); k.ok())
    Require(ParseAuditPublicKey(k->line()).ok());
  if (Result<CheckedProof> p = CheckProof(bytes, key); p.ok())
    Require(was_signed(p->checkpoint) && p->seq < p->checkpoint.size &&
            p->record.find("\"kind\":") != std::string::npos);
  std::string decoded;
  if (ParseBase64(bytes, &decoded)) Require(Base64(decoded) == bytes);
  return 0;
}
