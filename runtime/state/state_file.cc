// See state_file.h.
#include "runtime/state/state_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "runtime/base/bytes.h"
#include "runtime/state/keyed_hash.h"

namespace dpl {
namespace {

constexpr std::string_view kMagic = "DPLSTATE";
constexpr uint32_t kFrameMagic = 0x50524731;  // "1GRP"
constexpr size_t kAlign = 8;

// Fixed: this guards against accidents, not against people.
uint64_t FrameSum(uint64_t number, std::string_view payload) {
  return SipHash13(0x6470'6c73'7461'7465ull ^ number,
                   0x6772'6f75'7073'756dull ^ (static_cast<uint64_t>(payload.size()) << 8),
                   payload);
}

size_t Padded(size_t size) { return (size + kAlign - 1) / kAlign * kAlign; }

std::string Header(StateFileKind kind, uint64_t first) {
  std::string out;
  ByteWriter w(&out);
  w.Bytes(kMagic);
  w.U32(static_cast<uint32_t>(kind));
  w.U32(kStateFormat);
  w.U64(first);
  w.U64(FrameSum(0, out));
  return out;
}

void FinishFrame(std::string* frame, uint64_t number) {
  std::string header;
  std::string_view payload = std::string_view(*frame).substr(kFrameHeader);
  ByteWriter w(&header);
  w.U32(kFrameMagic);
  w.U32(static_cast<uint32_t>(payload.size()));
  w.U64(number);
  w.U64(FrameSum(number, payload));
  std::memcpy(frame->data(), header.data(), kFrameHeader);
  frame->resize(Padded(frame->size()));
}

// A good frame at `offset`; `size` is all of it.
bool FrameAt(std::string_view bytes, size_t offset, uint64_t* number, std::string_view* payload,
             size_t* size) {
  if (offset > bytes.size() || bytes.size() - offset < kFrameHeader) return false;
  ByteReader in(bytes.substr(offset));
  uint32_t magic = 0, length = 0;
  uint64_t sum = 0;
  if (!in.U32(&magic) || magic != kFrameMagic || !in.U32(&length) || !in.U64(number) ||
      !in.U64(&sum) || !in.Bytes(length, payload))
    return false;
  *size = Padded(kFrameHeader + length);
  return sum == FrameSum(*number, *payload);
}

}  // namespace

std::string StateFileName(StateFileKind kind, uint64_t number) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string name = kind == StateFileKind::kLog ? "log-" : "image-";
  for (int shift = 60; shift >= 0; shift -= 4) name.push_back(kDigits[(number >> shift) & 15]);
  return name;
}

bool ParseStateFileName(std::string_view name, StateFileKind* kind, uint64_t* number) {
  for (StateFileKind candidate : {StateFileKind::kLog, StateFileKind::kImage}) {
    std::string_view prefix = candidate == StateFileKind::kLog ? "log-" : "image-";
    if (!name.starts_with(prefix) || name.size() != prefix.size() + 16) continue;
    uint64_t value = 0;
    for (char c : name.substr(prefix.size())) {
      int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (digit < 0) return false;
      value = value << 4 | static_cast<uint64_t>(digit);
    }
    *kind = candidate;
    *number = value;
    return true;
  }
  return false;
}

Status CheckStateHeader(std::string_view bytes, StateFileKind kind, uint64_t first,
                        const std::string& name) {
  ByteReader in(bytes);
  std::string_view magic;
  uint32_t what = 0, format = 0;
  uint64_t number = 0, sum = 0;
  if (!in.Bytes(kMagic.size(), &magic) || magic != kMagic || !in.U32(&what) || !in.U32(&format))
    return Error{"state.corrupt", name + ": at byte 0: not a state file of dpld"};
  if (format > kStateFormat) {
    return Error{"state.version", name + " has format " + std::to_string(format) +
                                      ", of a newer dpld; this one reads formats " +
                                      std::to_string(kOldestStateFormat) + " to " +
                                      std::to_string(kStateFormat)};
  }
  if (format < kOldestStateFormat) {
    return Error{"state.version", name + " has format " + std::to_string(format) +
                                      ", which this dpld does not read; it reads formats " +
                                      std::to_string(kOldestStateFormat) + " to " +
                                      std::to_string(kStateFormat)};
  }
  if (!in.U64(&number) || !in.U64(&sum) || sum != FrameSum(0, bytes.substr(0, kStateHeader - 8)) ||
      what != static_cast<uint32_t>(kind) || number != first)
    return Error{"state.corrupt", name + ": at byte 0: the header is damaged"};
  return Status::Ok();
}

uint32_t StateFormatOf(std::string_view bytes) {
  ByteReader in(bytes);
  uint32_t kind = 0, format = 0;
  bool read = in.Skip(kMagic.size()) && in.U32(&kind) && in.U32(&format);
  return read ? format : 0;
}

Result<FrameWalk> WalkFrames(std::string_view bytes, size_t offset, uint64_t expected,
                             const std::function<Status(std::string_view payload)>& each) {
  FrameWalk walk;
  walk.offset = offset;
  walk.last = expected - 1;
  uint64_t number = 0;
  std::string_view payload;
  size_t size = 0;
  while (FrameAt(bytes, walk.offset, &number, &payload, &size) && number == walk.last + 1) {
    Status done = each(payload);
    if (!done.ok()) {
      return Error{done.error().code,
                   "at byte " + std::to_string(walk.offset) + ": " + done.error().message};
    }
    walk.last = number;
    walk.offset = std::min(walk.offset + size, bytes.size());
  }
  size_t used = bytes.find_last_not_of('\0');
  if (used == std::string_view::npos || used < walk.offset) return walk;
  walk.end = FrameWalk::End::kTorn;
  for (size_t at = Padded(walk.offset); at + kFrameHeader <= used + kAlign; at += kAlign) {
    if (!FrameAt(bytes, at, &number, &payload, &size) || number <= walk.last) continue;
    walk.end = FrameWalk::End::kDamaged;
    walk.next_offset = at;
    walk.next = number;
    break;
  }
  return walk;
}

// ---------------------------------------------------------------- the log

Result<std::unique_ptr<LogFile>> LogFile::Create(const std::string& folder, uint64_t first,
                                                 Disk* disk) {
  std::string path = folder + "/" + StateFileName(StateFileKind::kLog, first);
  Result<std::unique_ptr<AppendFile>> file =
      AppendFile::Create(path, Header(StateFileKind::kLog, first), disk);
  if (!file.ok()) return file.error();
  return std::unique_ptr<LogFile>(new LogFile(file.take(), first - 1));
}

Result<std::unique_ptr<LogFile>> LogFile::Reopen(const std::string& path, size_t end, uint64_t last,
                                                 Disk* disk) {
  Result<std::unique_ptr<AppendFile>> file = AppendFile::Reopen(path, end, disk);
  if (!file.ok()) return file.error();
  return std::unique_ptr<LogFile>(new LogFile(file.take(), last));
}

Status LogFile::Append(std::string* frame) {
  size_t payload = frame->size();
  FinishFrame(frame, last_ + 1);
  Status written = file_->Append(*frame);
  if (written.ok()) {
    ++last_;
  } else {
    frame->resize(payload);
  }
  return written;
}

// ---------------------------------------------------------------- images

ImageFile::ImageFile(std::string folder, uint64_t number, Disk* disk)
    : folder_(std::move(folder)),
      path_(folder_ + "/" + StateFileName(StateFileKind::kImage, number)),
      temporary_(path_ + ".tmp"),
      disk_(disk) {
  fd_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd_ < 0) {
    status_ = FileError("create", path_, errno);
    return;
  }
  frame_ = Header(StateFileKind::kImage, number);
  if (disk_->Write(fd_, frame_.data(), frame_.size(), 0) != static_cast<ssize_t>(frame_.size()))
    status_ = FileError("write", path_, errno);
  at_ = frame_.size();
}

ImageFile::~ImageFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_.c_str());
}

void ImageFile::Piece(std::string_view payload) {
  if (!status_.ok()) return;
  frame_.assign(kFrameHeader, '\0');
  frame_.append(payload);
  FinishFrame(&frame_, ++pieces_);
  for (size_t done = 0; done < frame_.size();) {
    ssize_t count = disk_->Write(fd_, frame_.data() + done, frame_.size() - done, at_ + done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      status_ = FileError("write", path_, count == 0 ? ENOSPC : errno);
      return;
    }
    done += static_cast<size_t>(count);
  }
  at_ += frame_.size();
}

Status ImageFile::Finish() {
  Piece(kImageEnd);
  if (status_.ok() && disk_->Sync(fd_) != 0) status_ = FileError("sync", path_, errno);
  if (status_.ok() && rename(temporary_.c_str(), path_.c_str()) != 0)
    status_ = FileError("create", path_, errno);
  if (!status_.ok()) return status_;
  close(fd_);
  fd_ = -1;
  return SyncFolder(folder_);
}

}  // namespace dpl
