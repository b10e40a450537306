#include "runtime/audit/segment.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "runtime/audit/line.h"
#include "runtime/state/append_file.h"

namespace dpl {
namespace {

constexpr size_t kChunk = 256 * 1024;
constexpr std::string_view kPrefix = "segment-";
constexpr size_t kDigits = 16;
constexpr std::string_view kEndings[] = {".jsonl", ".hashes", ".seal"};

Error AuditFileError(std::string_view doing, const std::string& path, int error) {
  Error out = FileError(doing, path, error);
  out.code = error == ENOENT ? "audit.missing" : "audit.file";
  return out;
}

std::vector<std::string> SealLines(const AuditSeal& seal) {
  std::vector<std::string> lines = {
      "first " + std::to_string(seal.first), "bytes " + std::to_string(seal.bytes),
      "earliest " + AuditTimeText(seal.earliest), "latest " + AuditTimeText(seal.latest),
      "last " + Base64(seal.last)};
  for (const Digest& peak : seal.edge.peaks()) lines.push_back("peak " + Base64(peak));
  return lines;
}

bool TakeNumber(std::string_view text, uint64_t* out) {
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && stop == text.data() + text.size();
}

}  // namespace

std::string SegmentName(uint64_t first, AuditFile file) {
  std::string digits = std::to_string(first);
  return std::string(kPrefix) + std::string(kDigits - std::min(kDigits, digits.size()), '0') +
         digits + std::string(kEndings[static_cast<size_t>(file)]);
}

Result<std::vector<SegmentFiles>> ListSegments(const std::string& folder) {
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return AuditFileError("read", folder, errno);
  std::map<uint64_t, SegmentFiles> found;
  while (dirent* entry = readdir(dir)) {
    std::string_view name = entry->d_name;
    if (!name.starts_with(kPrefix)) continue;
    std::string_view digits = name.substr(kPrefix.size(), name.find('.') - kPrefix.size());
    uint64_t first = 0;
    if (!TakeNumber(digits, &first)) continue;
    for (AuditFile file : {AuditFile::kLines, AuditFile::kHashes, AuditFile::kSeal}) {
      if (name != SegmentName(first, file)) continue;
      SegmentFiles& segment = found[first];
      segment.first = first;
      (file == AuditFile::kLines    ? segment.lines
       : file == AuditFile::kHashes ? segment.hashes
                                    : segment.seal) = true;
    }
  }
  closedir(dir);
  std::vector<SegmentFiles> out;
  for (auto& [first, segment] : found) {
    if (segment.lines || segment.seal) out.push_back(segment);
  }
  return out;
}

// ---------------------------------------------------------------- seals

std::string SignSeal(const AuditSeal& seal, const std::string& origin, const Ed25519Key& key) {
  return SignCheckpoint({origin, seal.size, seal.edge.Root(), SealLines(seal)}, key);
}

Result<AuditSeal> OpenSeal(std::string_view note, const AuditPublicKey& key) {
  Result<Checkpoint> checkpoint = OpenCheckpoint(note, key);
  if (!checkpoint.ok()) return checkpoint.error();
  AuditSeal seal;
  seal.size = checkpoint->size;
  std::vector<Digest> peaks;
  bool good = true;
  for (const std::string& line : checkpoint->lines) {
    size_t space = std::min(line.find(' '), line.size() - 1);
    std::string_view name = std::string_view(line).substr(0, space);
    std::string_view value = std::string_view(line).substr(space + 1);
    if (name == "first") good &= TakeNumber(value, &seal.first);
    if (name == "bytes") good &= TakeNumber(value, &seal.bytes);
    if (name == "earliest" || name == "latest") {
      Result<Instant> time = ParseInstant(value);
      good &= time.ok();
      if (time.ok()) (name == "latest" ? seal.latest : seal.earliest) = *time;
    }
    if (name == "last") good &= ParseBase64(value, &seal.last);
    if (name == "peak") good &= ParseBase64(value, &peaks.emplace_back());
  }
  good = good && MerkleEdge::FromPeaks(seal.size, std::move(peaks), &seal.edge) &&
         seal.edge.Root() == checkpoint->root && SealLines(seal) == checkpoint->lines &&
         seal.first < seal.size;
  if (!good) return Error{"audit.checkpoint", "a checkpoint, but not the seal of a segment"};
  return seal;
}

Result<AuditSeal> ReadSeal(const std::string& folder, uint64_t first, const AuditPublicKey& key) {
  Result<std::string> note = ReadSmallFile(folder + "/" + SegmentName(first, AuditFile::kSeal));
  if (!note.ok()) return note.error();
  Result<AuditSeal> seal = OpenSeal(*note, key);
  if (seal.ok() && seal->first != first)
    return Error{"audit.checkpoint", "it is the seal of another segment"};
  return seal;
}

// ---------------------------------------------------------------- reading

Result<std::string> ReadSmallFile(const std::string& path, size_t max) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return AuditFileError("open", path, errno);
  std::string out(max + 1, '\0');
  size_t size = 0;
  ssize_t count = 0;
  while (size < out.size() && (count = read(fd, out.data() + size, out.size() - size)) > 0)
    size += static_cast<size_t>(count);
  int failed = count < 0 ? errno : size > max ? EFBIG : 0;
  close(fd);
  if (failed != 0) return AuditFileError("read", path, failed);
  out.resize(size);
  out.shrink_to_fit();
  return out;
}

Result<AuditPublicKey> ReadPublicKey(const std::string& folder) {
  Result<std::string> line = ReadSmallFile(folder + "/log.pub", 4096);
  if (!line.ok()) return line.error();
  Result<AuditPublicKey> key = ParseAuditPublicKey(*line);
  if (key.ok() && key->line() + "\n" != *line)
    return Error{"audit.key", "log.pub is not one line with a public key"};
  return key;
}

Result<Checkpoint> ReadCheckpoint(const std::string& folder, const AuditPublicKey& key) {
  Result<std::string> note = ReadSmallFile(folder + "/checkpoint");
  if (!note.ok()) return note.error();
  return OpenCheckpoint(*note, key);
}

Result<std::unique_ptr<LineReader>> LineReader::Open(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return AuditFileError("open", path, errno);
  return std::unique_ptr<LineReader>(new LineReader(fd, path));
}

LineReader::~LineReader() { close(fd_); }

void LineReader::Back() {
  next_ = buffer_at_ = begin_;
  buffer_.clear();
}

Result<LineReader::Found> LineReader::Next(std::string_view* bytes) {
  begin_ = next_;
  size_t from = begin_ - buffer_at_;  // of the line, in the buffer
  size_t looked = from;
  for (;;) {
    const char* newline = looked < buffer_.size()
                              ? static_cast<const char*>(std::memchr(buffer_.data() + looked, '\n',
                                                                     buffer_.size() - looked))
                              : nullptr;
    if (newline != nullptr) {
      *bytes = {buffer_.data() + from, static_cast<size_t>(newline - buffer_.data()) - from};
      next_ = begin_ + bytes->size() + 1;
      return Found::kLine;
    }
    looked = buffer_.size();
    ssize_t count = 0;
    if (buffer_.size() - from <= kMaxAuditLine) {
      buffer_.erase(0, from);
      buffer_at_ += from;
      looked -= from;
      from = 0;
      buffer_.resize(looked + kChunk);
      do {
        count =
            pread(fd_, buffer_.data() + looked, kChunk, static_cast<off_t>(buffer_at_ + looked));
      } while (count < 0 && errno == EINTR);
      int failed = errno;
      buffer_.resize(looked + static_cast<size_t>(std::max<ssize_t>(count, 0)));
      if (count < 0) return AuditFileError("read", path_, failed);
    }
    if (count > 0) continue;
    // The end of the file, or more than any line has: what stands there is read again next time.
    rest_.assign(buffer_, from);
    buffer_.clear();
    buffer_at_ = begin_;
    *bytes = rest_;
    return rest_.find_first_not_of('\0') == std::string::npos ? Found::kEnd : Found::kRest;
  }
}

}  // namespace dpl
