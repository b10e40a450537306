// The files of a durable store: a header, then frames, each a number, a checksum and a payload.
// The layout is in docs/state.md.
//
//   log-0000000000000001    groups of operations 1, 2, 3 …; written ahead with zeros, then in place
//   image-00000000000000a7  the state after group 0xa7, in pieces; written whole, then renamed
//
// A log that ends in a frame that is not whole was cut off in the middle of a write: such a group
// was never promised. A frame that is not whole with a good one behind it is damage.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/state/append_file.h"

namespace dpl {

inline constexpr uint32_t kStateFormat = 4;        // raised when the bytes of any file change
inline constexpr uint32_t kOldestStateFormat = 2;  // the oldest that is still read
inline constexpr size_t kFrameHeader = 24;

enum class StateFileKind : uint32_t { kLog = 1, kImage = 2 };

std::string StateFileName(StateFileKind kind, uint64_t number);
// False for a name of another form.
bool ParseStateFileName(std::string_view name, StateFileKind* kind, uint64_t* number);

// What a walk over a file's frames found behind the last good one.
struct FrameWalk {
  enum class End : uint8_t { kClean, kTorn, kDamaged };
  End end = End::kClean;
  uint64_t last = 0;       // number of the last good frame before the end; the one before the first
  size_t offset = 0;       // where that frame ends: there the next begins, or the damage
  size_t next_offset = 0;  // kDamaged: of the next good frame
  uint64_t next = 0;       // and its number
};

// Checks the header: error "state.corrupt", or "state.version" for a format that this program does
// not read. `first` is the number of the first frame.
Status CheckStateHeader(std::string_view bytes, StateFileKind kind, uint64_t first,
                        const std::string& name);
// Of a header that was checked.
uint32_t StateFormatOf(std::string_view bytes);
// From `offset` on, where frame `expected` should be. An error of `each` ends the walk.
Result<FrameWalk> WalkFrames(std::string_view bytes, size_t offset, uint64_t expected,
                             const std::function<Status(std::string_view payload)>& each);
inline constexpr size_t kStateHeader = 32;

// The growing end of the log. One thread.
class LogFile {
 public:
  // A new file whose first frame will have this number.
  static Result<std::unique_ptr<LogFile>> Create(const std::string& folder, uint64_t first,
                                                 Disk* disk);
  // An existing one, cut behind its last good frame.
  static Result<std::unique_ptr<LogFile>> Reopen(const std::string& path, size_t end, uint64_t last,
                                                 Disk* disk);

  // Writes and syncs a frame. `frame` has kFrameHeader bytes of room in front of the payload; it
  // gets the header and padding. After an error nothing counts as written, and the same frame may
  // be tried again; unless the sync failed (`broken()`): then nobody knows what the disk holds.
  Status Append(std::string* frame);

  bool broken() const { return file_->broken(); }
  uint64_t last() const { return last_; }
  uint64_t size() const { return file_->size(); }

 private:
  LogFile(std::unique_ptr<AppendFile> file, uint64_t last) : file_(std::move(file)), last_(last) {}

  std::unique_ptr<AppendFile> file_;
  uint64_t last_;
};

// An image, piece by piece, under a temporary name until Finish.
class ImageFile {
 public:
  ImageFile(std::string folder, uint64_t number, Disk* disk);
  ~ImageFile();
  void Piece(std::string_view payload);  // errors are kept for Finish
  Status Finish();

 private:
  std::string folder_, path_, temporary_;
  Disk* disk_;
  int fd_ = -1;
  uint64_t pieces_ = 0, at_ = 0;
  std::string frame_;
  Status status_;
};
// The payload of an image's last frame.
inline constexpr std::string_view kImageEnd = "end of image";

}  // namespace dpl
