// The thread of an audit log: numbers, hashes, writes, syncs, signs, seals and removes.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <unordered_set>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "runtime/audit/log_parts.h"
#include "runtime/audit/vault.h"
#include "runtime/json/json_writer.h"

namespace dpl {
namespace {

constexpr size_t kEntryHeader = 12;
constexpr size_t kEager = size_t{1} << 20;
constexpr int64_t kSignUs = kMicrosPerSecond;  // between two checkpoints at most,
constexpr uint64_t kSignRecords = 1000;        // and this many records
constexpr size_t kKeepBytes = size_t{4} << 20;
constexpr size_t kGroupBytes = size_t{2} << 20;    // lines of one write, from lanes
constexpr size_t kHashesBytes = size_t{64} << 10;  // are written together
constexpr size_t kLaneTurn = size_t{128} << 10;  // so much of the lanes should gather between looks
constexpr int64_t kTurnsAWrite = 8;              // so many looks under load, while nobody waits
constexpr int64_t kShortestPauseUs = 1000;
constexpr int64_t kSyncShare = 4;  // times as long as a sync took, the disk is left to others
constexpr int64_t kDozeUs = kMicrosPerSecond;  // no lane brought anything for so long
constexpr int64_t kBackUs = kMicrosPerSecond;  // less than this, lines of lanes do not step back

void Empty(std::string* buffer) {
  buffer->clear();
  if (buffer->capacity() > kKeepBytes) buffer->shrink_to_fit();
}

template <class T>
void Widen(std::optional<T>* earliest, std::optional<T>* latest, T low, T high) {
  *earliest = std::min(earliest->value_or(low), low);
  *latest = std::max(latest->value_or(high), high);
}

constexpr size_t kLookThrough = 2;  // sealed segments, at one removal by retention
constexpr std::string_view kDigestMark = "sha256:";
constexpr size_t kDigestText = 7 + 64;

// The digests ("sha256:…") that the file speaks of, each once, one a line.
Result<std::string> DigestsIn(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError("open", path, errno);
  std::unordered_set<std::string> seen;
  std::string out, bytes;
  ssize_t count = 0;
  do {
    // What may be the beginning of one stays.
    if (bytes.size() > kDigestText) bytes.erase(0, bytes.size() - kDigestText);
    const size_t from = bytes.size();
    bytes.resize(from + kKeepBytes);
    count = read(fd, bytes.data() + from, kKeepBytes);
    bytes.resize(from + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    for (size_t at = 0; (at = bytes.find(kDigestMark, at)) != std::string::npos; ++at) {
      std::string digest = bytes.substr(at, kDigestText);
      if (digest.size() < kDigestText ||
          digest.find_first_not_of("0123456789abcdef", kDigestMark.size()) != std::string::npos)
        continue;
      if (seen.insert(digest).second) out.append(digest).append("\n");
    }
  } while (count > 0 || (count < 0 && errno == EINTR));
  const int failed = count < 0 ? errno : 0;
  close(fd);
  if (failed != 0) return FileError("read", path, failed);
  return out;
}

}  // namespace

void AuditLog::Impl::Wake() {
  done_.notify_all();
  for (const auto& wake : wakes_) wake();
}

void AuditLog::Impl::Tell(std::string* where, const Status& status) {
  Lock lock(mutex_);
  *where = status.ok() ? "" : status.error().message;
}

// Until there is something to write, to sign or to remove.
void AuditLog::Impl::Wait(Lock* lock) {
  const int64_t half = std::max<int64_t>(options_.sync_ms * 500, 1);
  bool looked_again = false;
  for (;;) {
    waiting_ = true;  // before the looks at the lanes
    int64_t lane_turn = LaneTurn();
    // Somebody may have looked for `dozing_` just before it was set, whose entry is not seen yet:
    // it will be by the second look.
    if (dozing_ && lane_turn == INT64_MAX && !looked_again)
      lane_turn = clock_->MonotonicUs() + half;
    const int64_t now = clock_->MonotonicUs();
    if (stop_ || urgent_ || pending_.size() >= kEager || gap_ > 0 || more_ ||
        prune_.requests != prune_.done || lanes_urgent_.load()) {
      waiting_ = dozing_ = false;
      return;
    }
    int64_t until = lane_turn;
    if (!pending_.empty()) until = std::min(until, oldest_us_ + half);
    if (!lines_.empty()) until = std::min(until, group_due_us_);
    if (signed_ < records_) until = std::min({until, signed_us_ + kSignUs, now + half});
    if (until <= now) {
      waiting_ = dozing_ = false;
      return;
    }
    sleeping_ = until == INT64_MAX;
    bool timed_out = false;
    if (sleeping_) {
      work_.wait(*lock);
    } else {
      timed_out =
          work_.wait_for(*lock, std::chrono::microseconds(until - now)) == std::cv_status::timeout;
    }
    sleeping_ = false;
    if (timed_out && dozing_ && !looked_again) {
      looked_again = true;
      continue;
    }
    waiting_ = dozing_ = false;
    looked_again = false;
    if (timed_out) return;
  }
}

void AuditLog::Impl::Run() {
  // It works in bursts; as a batch it does not push aside who decides when it wakes.
  pthread_setname_np(pthread_self(), "audit-log");
  const sched_param none{};
  (void)sched_setscheduler(0, SCHED_BATCH, &none);
  Lock lock(mutex_);
  for (;;) {
    Wait(&lock);
    if (prune_.requests != prune_.done && prune_.ticket == 0) {
      const Instant before = prune_.before;
      const std::string because = prune_.because;
      lock.unlock();
      StartPruning(before, because, true);
      lock.lock();
    }
    if (gap_ > 0) PushGap();
    bool now = lanes_urgent_.exchange(false) || urgent_ || stop_;  // before the look
    urgent_ = false;
    if (pending_.empty() && !LanesHaveWork() && lines_.empty()) {
      more_ = false;
      looked_us_ = clock_->MonotonicUs();
      if (stop_) break;
      lock.unlock();
      SignIfDue(false);
      lock.lock();
      continue;
    }
    std::swap(taken_, pending_);
    const uint64_t upto = appended_;
    lock.unlock();
    FormatGroup();
    Empty(&taken_);
    now = now || more_ || lines_.empty() || clock_->MonotonicUs() >= group_due_us_;
    lock.lock();
    if (!now && !failed_) continue;
    if (!lines_.empty()) {
      if (!WriteGroup(&lock)) break;
      ++groups_;
    }
    kept_ = upto;
    records_ = kept_edge_.size();
    for (size_t i = 0; i < lane_count_; ++i) lanes_[i]->Keep();
    Wake();
    if (prune_.ticket != 0 && kept_ >= prune_.ticket) FinishPruning(&lock);
    lock.unlock();
    Empty(&lines_);
    SignIfDue(false);
    if (WantsNextSegment()) NextSegment();
    lock.lock();
  }
  lock.unlock();
  SignIfDue(true);
  (void)PutHashes();
  if (!segment_.lines->broken()) Tell(&segment_error_, segment_.lines->Trim());
  lock.lock();
  // Nobody will write what is still pending: no promise may hang on it.
  if (appended_ != kept_ || LanesHaveWork()) failed_ = true;
  prune_.done = prune_.requests;
  Wake();
}

// ---------------------------------------------------------------- lanes

bool AuditLog::Impl::LanesHaveWork() {
  for (size_t i = 0; i < lane_count_; ++i) {
    if (lanes_[i]->pushed() != lanes_[i]->taken()) return true;
  }
  return false;
}

// When the lanes are to be looked at, monotonic; never: the thread dozes, and the first entry wakes
// it.
int64_t AuditLog::Impl::LaneTurn() {
  if (lane_count_ == 0) return INT64_MAX;
  const int64_t now = clock_->MonotonicUs();
  if (now - lane_active_us_ < kDozeUs) return looked_us_ + lane_pause_us_;
  dozing_ = true;  // first; who appends does it the other way round
  return LanesHaveWork() ? now : INT64_MAX;
}

// ---------------------------------------------------------------- a group

void AuditLog::Impl::FormatLine(Instant time, std::string_view record) {
  const size_t begin = lines_.size();
  line_writer_.Append(&lines_, next_seq_, next_seq_ == group_first_, time, end_.last, record);
  end_.last = MerkleLeaf(std::string_view(lines_).substr(begin, lines_.size() - begin - 1));
  end_.edge.Add(end_.last, &hashes_);
  Widen(&group_earliest_, &group_latest_, time, time);
  last_time_ = time;
  ++next_seq_;
}

void AuditLog::Impl::AddEntry(AuditLane* lane, AuditLane::Entry entry) {
  // Lanes are looked at one after the other: a little earlier is no step of the clock.
  const Instant last = std::max(last_time_, added_time_);
  if (entry.time < last && last.us - entry.time.us < kBackUs) entry.time = last;
  if (!renderer_->Fits(entry)) FormatAdded();
  renderer_->Add(entry, next_seq_);
  added_ = true;
  added_time_ = entry.time;
  lane->Take();
}

void AuditLog::Impl::FormatAdded() {
  if (!added_) return;
  added_ = false;
  added_time_ = Instant{INT64_MIN};
  renderer_->Finish([this](Instant time, std::string_view record) {
    DPL_CHECK(record.size() <= kMaxRecord && !HasLowControl(record));
    FormatLine(time, record);
  });
}

// Adds the lines of what was taken and of what the lanes hold, in the order of their times, and the
// nodes of the tree that they complete. Nothing of it waits longer than half of sync_ms for the
// write, counted from the look before.
void AuditLog::Impl::FormatGroup() {
  const int64_t half = std::max<int64_t>(options_.sync_ms * 500, 1);
  const bool first = lines_.empty();
  if (first) {
    next_seq_ = group_first_ = end_.edge.size();
    hashes_.clear();
    group_earliest_.reset();
    group_latest_.reset();
    group_due_us_ = looked_us_ + half;
  }
  const size_t lane_count = lane_count_;
  std::vector<uint64_t> ends;  // what comes from now on is the next group's
  uint64_t lane_bytes = 0;
  for (size_t i = 0; i < lane_count; ++i) {
    ends.push_back(lanes_[i]->pushed());
    lane_bytes -= lanes_[i]->taken_bytes();
  }
  size_t at = 0;
  more_ = false;
  for (;;) {
    uint32_t size = 0;
    Instant time{INT64_MAX};
    const bool taken = at < taken_.size();
    if (taken) {
      std::memcpy(&size, taken_.data() + at, 4);
      std::memcpy(&time.us, taken_.data() + at + 4, 8);
    }
    AuditLane* next = nullptr;
    AuditLane::Entry entry, candidate;
    if (!more_) {
      for (size_t i = 0; i < lane_count; ++i) {
        if (lanes_[i]->taken() >= ends[i] || !lanes_[i]->Peek(&candidate)) continue;
        if ((next != nullptr || taken) && candidate.time >= time) continue;
        next = lanes_[i].get();
        entry = candidate;
        time = candidate.time;
      }
    }
    if (next != nullptr) {
      AddEntry(next, entry);
      more_ = lines_.size() >= kGroupBytes;
      continue;
    }
    FormatAdded();
    if (!taken) break;
    FormatLine(time, std::string_view(taken_).substr(at + kEntryHeader, size));
    at += kEntryHeader + size;
  }
  for (size_t i = 0; i < lane_count; ++i) lane_bytes += lanes_[i]->taken_bytes();
  // The busier the lanes, the sooner they are looked at again, while what they had is still near;
  // they are written later, as a write costs much the same for more of them.
  const int64_t now = clock_->MonotonicUs();
  if (lane_bytes != 0) {
    const int64_t took = std::max<int64_t>(now - looked_us_, 1);
    const auto gathers =
        static_cast<int64_t>(static_cast<double>(kLaneTurn) * static_cast<double>(took) /
                             static_cast<double>(lane_bytes));
    lane_pause_us_ = std::clamp(gathers, std::min(kShortestPauseUs, half), half);
    lane_active_us_ = now;
    if (first) {
      const int64_t write = std::max(kTurnsAWrite * lane_pause_us_, kSyncShare * sync_us_);
      group_due_us_ = looked_us_ + std::min(write, half);
    }
  }
  looked_us_ = now;
}

// Until the group is on disk, however often that takes; false when that will not happen any more.
bool AuditLog::Impl::WriteGroup(Lock* lock) {
  for (;;) {
    lock->unlock();
    const int64_t begun = clock_->MonotonicUs();
    Status written = segment_.lines->Append(lines_);
    sync_us_ = clock_->MonotonicUs() - begun;
    if (written.ok()) {
      kept_edge_ = end_.edge;
      Widen(&segment_.earliest, &segment_.latest, *group_earliest_, *group_latest_);
      segment_.backlog += hashes_;
      if (segment_.backlog.size() >= kHashesBytes) (void)PutHashes();
    } else {
      SignIfDue(false);
    }
    lock->lock();
    if (written.ok()) {
      failed_ = false;
      error_.clear();
      return true;
    }
    error_ = written.error().message;
    failed_ = true;
    Wake();
    if (stop_) return false;
    if (segment_.lines->broken()) {
      broken_ = true;
      work_.wait(*lock, [this] { return stop_; });
      return false;
    }
    work_.wait_for(*lock, std::chrono::milliseconds(options_.retry_ms), [this] { return stop_; });
  }
}

void AuditLog::Impl::SignIfDue(bool now) {
  const uint64_t size = kept_edge_.size();
  const int64_t time = clock_->MonotonicUs();
  if (size == signed_) return;
  if (!now && size - signed_ < kSignRecords && time - signed_us_ < kSignUs) return;
  signed_us_ = time;  // also when it fails: it is tried again in a second
  Checkpoint checkpoint{signer_->pub.name, size, kept_edge_.Root(), {}};
  Status done =
      ReplaceFile(options_.folder + "/checkpoint", SignCheckpoint(checkpoint, signer_->key), disk_);
  if (done.ok()) signed_ = size;
  Tell(&sign_error_, done);
}

// ---------------------------------------------------------------- segments

bool AuditLog::Impl::WantsNextSegment() const {
  if (kept_edge_.size() == segment_.first) return false;
  return segment_.lines->size() >= options_.segment_bytes ||
         segment_.latest->us - segment_.earliest->us >= options_.segment_seconds * kMicrosPerSecond;
}

// Nobody reads the hashes of a segment that grows: they are made anew from its lines.
Status AuditLog::Impl::PutHashes() {
  DPL_RETURN_IF_ERROR(segment_.hashes->Put(segment_.backlog));
  segment_.backlog.clear();
  return Status::Ok();
}

Status AuditLog::Impl::Seal() {
  DPL_RETURN_IF_ERROR(segment_.lines->Trim());
  DPL_RETURN_IF_ERROR(PutHashes());
  DPL_RETURN_IF_ERROR(segment_.hashes->Trim());
  AuditSeal seal{segment_.first,     kept_edge_.size(), segment_.lines->size(),
                 *segment_.earliest, *segment_.latest,  end_.last,
                 kept_edge_};
  DPL_RETURN_IF_ERROR(ReplaceFile(Path(segment_.first, AuditFile::kSeal),
                                  SignSeal(seal, signer_->pub.name, signer_->key), disk_));
  return SyncFolder(options_.folder);
}

// The next one is made first: when there can be none, the present one goes on.
void AuditLog::Impl::NextSegment() {
  const uint64_t first = kept_edge_.size();
  Result<Growing> next = MakeSegment(first);
  Status done;
  if (!next.ok()) {
    done = next.error();
  } else if (done = Seal(); done.ok()) {
    segment_ = next.take();
    ++segments_;
    if (renderer_ != nullptr) renderer_->BeginSegment();
    SignIfDue(true);
    Retain();
  } else {
    unlink(Path(first, AuditFile::kLines).c_str());
    unlink(Path(first, AuditFile::kHashes).c_str());
  }
  Tell(&segment_error_, done);
}

// ---------------------------------------------------------------- removing what is old

void AuditLog::Impl::Retain() {
  if (options_.retain_days <= 0) return;
  const Instant now = clock_->Now();
  const int64_t days = std::min<int64_t>(options_.retain_days, 1'000'000);
  std::optional<Instant> before = Subtract(now, Duration{days * kMicrosPerDay});
  if (before.has_value())
    StartPruning(*before, "retain_days " + std::to_string(options_.retain_days), false);
}

// Appends the record about it; the files go when that is kept.
void AuditLog::Impl::StartPruning(Instant before, const std::string& because, bool asked) {
  std::vector<uint64_t> remove;
  uint64_t end = 0;
  std::optional<Error> error;
  std::optional<Instant> kept_from = segment_.earliest;  // unless a sealed one stays
  Result<std::vector<SegmentFiles>> segments = ListSegments(options_.folder);
  if (!segments.ok()) error = segments.error();
  for (size_t i = 0; !error && i < segments->size(); ++i) {
    const SegmentFiles& s = (*segments)[i];
    if (!s.seal) break;
    if (!s.lines) continue;
    Result<AuditSeal> seal = ReadSeal(options_.folder, s.first, signer_->pub);
    if (!seal.ok()) {
      error = seal.error();
    } else if (seal->latest >= before) {
      kept_from = seal->earliest;
      break;
    } else {
      remove.push_back(s.first);
      end = seal->size;
    }
  }
  Lock lock(mutex_);
  if (prune_.ticket != 0) return;  // one after the other
  prune_.asked = asked;
  if (error.has_value() || remove.empty()) {
    if (error.has_value()) segment_error_ = error->message;
    EndPruning(error.has_value() ? Result<uint64_t>(*error) : Result<uint64_t>(uint64_t{0}));
    return;
  }
  std::string json;
  JsonWriter w(&json);
  w.BeginObject().Member("kind", "log").Member("event", "pruned");
  w.Key("before_seq").Uint(end).Key("segments").Uint(remove.size());
  w.Member("before", AuditTimeText(before)).Member("because", because).EndObject();
  prune_.ticket = Push(json, AuditSync::kNow);
  prune_.segments = std::move(remove);
  prune_.kept_from = kept_from.value_or(kMinInstant);
}

void AuditLog::Impl::FinishPruning(Lock* lock) {
  std::vector<uint64_t> segments = std::move(prune_.segments);
  prune_.segments.clear();
  const Instant kept_from = prune_.kept_from;
  const bool all = prune_.asked;
  lock->unlock();
  // Whatever else carries the segment's name goes with it; the seal stays.
  Status done;
  std::vector<std::string> names;
  if (DIR* dir = opendir(options_.folder.c_str()); dir != nullptr) {
    while (dirent* entry = readdir(dir)) names.emplace_back(entry->d_name);
    closedir(dir);
  }
  for (uint64_t first : segments) {
    const std::string seal = SegmentName(first, AuditFile::kSeal);
    const std::string prefix = seal.substr(0, seal.size() - 4);  // with the dot
    for (const std::string& name : names) {
      if (!name.starts_with(prefix) || name == seal) continue;
      const std::string path = options_.folder + "/" + name;
      if (unlink(path.c_str()) != 0) done = FileError("remove", path, errno);
    }
    --segments_;
  }
  if (done.ok()) done = SyncFolder(options_.folder);
  // What was sealed in them is gone: nobody needs its keys.
  if (done.ok()) done = AuditVault::ForgetKeysBefore(options_.folder, kept_from);
  if (done.ok()) done = ForgetInputs(all);
  lock->lock();
  segment_error_ = done.ok() ? "" : done.error().message;
  EndPruning(done.ok() ? Result<uint64_t>(segments.size()) : Result<uint64_t>(done.error()));
}

// What was in force for the records that are left is told by them: each segment names it. What a
// sealed one names is found once, and kept beside it. Not `all`: records wait meanwhile, so some of
// them are looked through now and the others the next times, and nothing goes before all were.
Status AuditLog::Impl::ForgetInputs(bool all) {
  if (renderer_ == nullptr) return Status::Ok();
  size_t look = all ? SIZE_MAX : kLookThrough;
  Result<std::vector<SegmentFiles>> segments = ListSegments(options_.folder);
  if (!segments.ok()) return segments.error();
  std::unordered_set<std::string> named;
  for (const SegmentFiles& s : *segments) {
    if (!s.lines) continue;
    const std::string lines = Path(s.first, AuditFile::kLines);
    const std::string beside = lines.substr(0, lines.rfind('.')) + ".inputs";
    Result<std::string> known = ReadSmallFile(beside, size_t{16} << 20);
    if (!s.seal || !known.ok()) {
      if (s.seal && look-- == 0) return Status::Ok();
      known = DigestsIn(lines);
      if (!known.ok()) return known.error();
      if (s.seal) DPL_RETURN_IF_ERROR(ReplaceFile(beside, *known, disk_));
    }
    for (size_t at = 0; at + kDigestText < known->size(); at += kDigestText + 1)
      named.insert(known->substr(at, kDigestText));
  }
  return renderer_->Removed(
      [&named](std::string_view digest) { return named.contains(std::string(digest)); });
}

void AuditLog::Impl::EndPruning(Result<uint64_t> result) {
  prune_.ticket = 0;
  if (prune_.asked) {
    prune_.result = std::move(result);
    prune_.done = prune_.requests;
    done_.notify_all();
  }
}

}  // namespace dpl
