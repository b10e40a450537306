// See recovery.h.
#include "runtime/state/recovery.h"

#include <algorithm>
#include <cerrno>
#include <map>

#include <dirent.h>
#include <unistd.h>

#include "runtime/state/operations.h"
#include "runtime/state/state_file.h"

namespace dpl {
namespace {

struct Files {
  std::map<uint64_t, std::string> images, logs;  // by number
};

Result<Files> ListFiles(const std::string& folder) {
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return FileError("read", folder, errno);
  Files files;
  while (dirent* entry = readdir(dir)) {
    StateFileKind kind{};
    uint64_t number = 0;
    if (!ParseStateFileName(entry->d_name, &kind, &number)) continue;
    auto& map = kind == StateFileKind::kLog ? files.logs : files.images;
    map[number] = folder + "/" + entry->d_name;
  }
  closedir(dir);
  return files;
}

class Reader {
 public:
  Reader(const RecoveryOptions& options, MemoryStore* image, RecoveryReport* report)
      : options_(options), image_(image), report_(report) {}

  Status Image(uint64_t number, const std::string& path);
  // `sealed`: another file follows, so a cut-off end is damage too.
  Status Log(uint64_t first, const std::string& path, bool sealed);
  Status Damage(const std::string& path, std::string what) {
    Error error{"state.corrupt", path + ": " + what};
    if (!options_.salvage) return error;
    report_->lost.push_back(error.message);
    if (report_->damaged.empty() || report_->damaged.back() != path)
      report_->damaged.push_back(path);
    return Status::Ok();
  }

 private:
  const RecoveryOptions& options_;
  MemoryStore* image_;
  RecoveryReport* report_;
};

std::string AtByte(size_t offset) { return "at byte " + std::to_string(offset) + ": "; }

Status Reader::Image(uint64_t number, const std::string& path) {
  Result<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return bytes.error();
  Status header = CheckStateHeader(*bytes, StateFileKind::kImage, number, path);
  if (!header.ok()) {
    if (!options_.salvage || header.error().code != "state.corrupt") return header;
    DPL_RETURN_IF_ERROR(Damage(path, "the header is damaged"));
  }
  bool ended = false;
  auto piece = [&](std::string_view payload) -> Status {
    if (payload == kImageEnd) {
      ended = true;
    } else if (!image_->Load(payload) && !options_.salvage) {
      return Error{"state.corrupt", "a piece of the image cannot be read"};
    }
    return Status::Ok();
  };
  FrameWalk walk;
  walk.offset = kStateHeader;
  for (;;) {
    Result<FrameWalk> walked = WalkFrames(*bytes, walk.offset, walk.last + 1, piece);
    if (!walked.ok()) return Error{walked.error().code, path + ": " + walked.error().message};
    walk = *walked;
    if (ended && walk.end == FrameWalk::End::kClean) break;
    std::string what = AtByte(walk.offset) + "piece " + std::to_string(walk.last + 1) +
                       " of the image is damaged or missing";
    DPL_RETURN_IF_ERROR(Damage(path, std::move(what)));
    if (walk.end != FrameWalk::End::kDamaged) break;
    walk.offset = walk.next_offset;
    walk.last = walk.next - 1;
  }
  image_->LoadDone();
  report_->image = report_->last = number;
  return Status::Ok();
}

Status Reader::Log(uint64_t first, const std::string& path, bool sealed) {
  Result<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return bytes.error();
  Status header = CheckStateHeader(*bytes, StateFileKind::kLog, first, path);
  if (!header.ok()) {
    if (!options_.salvage || header.error().code != "state.corrupt") return header;
    DPL_RETURN_IF_ERROR(Damage(path, "the header is damaged"));
  }
  report_->log_bytes += bytes->size();
  FrameWalk walk;
  walk.offset = kStateHeader;
  walk.last = first - 1;
  uint64_t number = first;
  ReplayMode mode = options_.salvage ? ReplayMode::kSalvage : ReplayMode::kExact;
  auto group = [&](std::string_view payload) -> Status {
    uint64_t here = number++;
    if (here <= report_->last || here > options_.upto) return Status::Ok();
    Result<uint64_t> done = ReplayGroup(payload, image_, mode);
    if (!done.ok() && !options_.salvage) return done.error();
    report_->last = here;
    ++report_->groups;
    report_->operations += done.ok() ? *done : 0;
    return Status::Ok();
  };
  for (;;) {
    number = walk.last + 1;
    Result<FrameWalk> walked = WalkFrames(*bytes, walk.offset, number, group);
    if (!walked.ok()) return Error{walked.error().code, path + ": " + walked.error().message};
    walk = *walked;
    if (walk.end == FrameWalk::End::kClean) break;
    if (walk.end == FrameWalk::End::kTorn && !sealed) {
      report_->torn_bytes = bytes->find_last_not_of('\0') + 1 - walk.offset;
      break;
    }
    std::string what =
        AtByte(walk.offset) + "group " + std::to_string(walk.last + 1) + " is damaged";
    if (walk.end == FrameWalk::End::kDamaged)
      what += ", and group " + std::to_string(walk.next) + " behind it is good";
    DPL_RETURN_IF_ERROR(Damage(path, std::move(what)));
    if (walk.end != FrameWalk::End::kDamaged) break;
    walk.offset = walk.next_offset;
    walk.last = walk.next - 1;
  }
  report_->tail = path;
  report_->tail_old = StateFormatOf(*bytes) < kStateFormat;
  report_->tail_end = walk.offset;
  return Status::Ok();
}

}  // namespace

Status RecoverState(const std::string& folder, const RecoveryOptions& options, MemoryStore* image,
                    RecoveryReport* report) {
  Result<Files> files = ListFiles(folder);
  if (!files.ok()) return files.error();
  auto& images = files->images;
  auto& logs = files->logs;
  report->fresh = images.empty() && logs.empty();
  if (report->fresh) return Status::Ok();
  Reader reader(options, image, report);
  while (!images.empty() && images.rbegin()->first > options.upto)
    images.erase(std::prev(images.end()));
  if (!images.empty()) {
    auto newest = images.rbegin();
    DPL_RETURN_IF_ERROR(reader.Image(newest->first, newest->second));
  }
  // The file that holds the group after the image, and all that follow.
  auto from = logs.upper_bound(report->last + 1);
  if (from == logs.begin()) {
    std::string what =
        "the log that holds group " + std::to_string(report->last + 1) + " is missing";
    DPL_RETURN_IF_ERROR(reader.Damage(folder, std::move(what)));
  } else {
    --from;
  }
  for (auto at = from; at != logs.end() && at->first <= options.upto; ++at) {
    auto next = std::next(at);
    if (at->first > report->last + 1) {
      std::string what =
          "the log that holds group " + std::to_string(report->last + 1) + " is missing";
      DPL_RETURN_IF_ERROR(reader.Damage(at->second, std::move(what)));
    }
    DPL_RETURN_IF_ERROR(reader.Log(at->first, at->second, next != logs.end()));
    if (next != logs.end() && next->first <= options.upto && report->last + 1 < next->first) {
      std::string what = "ends at group " + std::to_string(report->last) + ", but " + next->second +
                         " begins with group " + std::to_string(next->first);
      DPL_RETURN_IF_ERROR(reader.Damage(at->second, std::move(what)));
    }
  }
  return Status::Ok();
}

Status RemoveOldState(const std::string& folder, uint64_t image) {
  Result<Files> files = ListFiles(folder);
  if (!files.ok()) return files.error();
  for (const auto& [number, path] : files->images) {
    if (number < image && unlink(path.c_str()) != 0) return FileError("remove", path, errno);
  }
  // A log is over when the one after it begins no later than the group after the image.
  for (auto at = files->logs.begin(); at != files->logs.end(); ++at) {
    auto next = std::next(at);
    if (next == files->logs.end() || next->first > image + 1) break;
    if (unlink(at->second.c_str()) != 0) return FileError("remove", at->second, errno);
  }
  return SyncFolder(folder);
}

}  // namespace dpl
