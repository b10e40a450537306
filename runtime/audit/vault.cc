// See vault.h.
#include "runtime/audit/vault.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/base64.h"
#include "runtime/base/sha256.h"
#include "runtime/state/append_file.h"

namespace dpl {
namespace {

constexpr size_t kMostInput = size_t{1} << 30;
constexpr off_t kMostLink = off_t{1} << 16;  // a larger input is no link to others
constexpr time_t kYoungSeconds = 3600;       // what is being put in force may not be in it yet

// A new file for its owner only, synced; an error when it is there already.
Status WriteSecret(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new";
  unlink(temporary.c_str());
  int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return FileError("write", path, errno);
  bool good =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  int why = errno;
  close(fd);
  if (good && link(temporary.c_str(), path.c_str()) != 0) {
    good = false;
    why = errno;
  }
  unlink(temporary.c_str());
  if (!good) return FileError("write", path, why);
  return SyncFolder(path.substr(0, path.rfind('/')));
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool IsDigest(std::string_view text) {
  return text.starts_with("sha256:") && text.size() == 7 + 64 && IsName(text.substr(7));
}

}  // namespace

Result<BoxKey> AuditVault::ReadKey(const std::string& name) const {
  const std::string path = options_.folder + "/keys/" + name + ".key";
  Result<std::string> text = ReadFile(path, kMostInput);
  if (!text.ok()) return text.error();
  std::string_view hex = *text;
  while (!hex.empty() && (hex.back() == '\n' || hex.back() == '\r')) hex.remove_suffix(1);
  std::string bytes;
  BoxKey key;
  if (!ParseHex(hex, &bytes) || bytes.size() != key.size())
    return Error{"audit.key", path + ": must be 64 hex digits", 0, 0};
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

Result<BoxKey> AuditVault::ReadOrMakeKey(const std::string& name) const {
  const std::string path = options_.folder + "/keys/" + name + ".key";
  struct stat info;
  if (options_.read_only || stat(path.c_str(), &info) == 0) return ReadKey(name);
  BoxKey key;
  if (!FillRandom(key.data(), key.size()))
    return Error{"audit.key", path + ": the system gives no random bytes", 0, 0};
  DPL_RETURN_IF_ERROR(WriteSecret(
      path, Hex(std::string_view(reinterpret_cast<const char*>(key.data()), key.size())) + "\n"));
  return key;
}

Result<std::unique_ptr<AuditVault>> AuditVault::Open(const Options& options) {
  std::unique_ptr<AuditVault> vault(new AuditVault(options));
  if (!options.read_only) {
    for (const char* folder : {"/keys", "/inputs"}) {
      DPL_RETURN_IF_ERROR(MakeFolder(options.folder + folder));
      chmod((options.folder + folder).c_str(), 0700);
    }
  }
  Result<BoxKey> digest = vault->ReadOrMakeKey("digest");
  if (digest.ok()) {
    vault->digest_key_.assign(reinterpret_cast<const char*>(digest->data()), digest->size());
  } else if (!options.read_only) {
    return digest.error();
  }
  Result<BoxKey> inputs = vault->ReadOrMakeKey("inputs");
  if (inputs.ok()) {
    vault->inputs_ = std::make_unique<SealedBox>(*inputs);
  } else if (!options.read_only) {
    return inputs.error();
  }
  return vault;
}

std::shared_ptr<const AuditVault::Key> AuditVault::KeyFor(Instant now) {
  std::lock_guard lock(mutex_);
  const int64_t day = DayOf(now);
  if (current_ != nullptr && current_->day == day) return current_;
  auto key = std::make_shared<Key>();
  key->day = day;
  key->id = "seal-" + FormatDate(DateOf(now)) + "-" + options_.start;
  Result<BoxKey> bytes = ReadOrMakeKey(key->id);
  if (!bytes.ok()) return nullptr;
  key->bytes = *bytes;
  current_ = key;
  return current_;
}

Status AuditVault::ForgetKeysBefore(const std::string& folder, Instant before) {
  const std::string keys = folder + "/keys";
  DIR* dir = opendir(keys.c_str());
  if (dir == nullptr) return errno == ENOENT ? Status::Ok() : FileError("read", keys, errno);
  constexpr std::string_view kPrefix = "seal-";
  constexpr size_t kDate = 10;
  std::vector<std::string> old;
  while (dirent* entry = readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(kPrefix) || !name.ends_with(".key")) continue;
    Result<Instant> day = ParseInstant(std::string(name.substr(kPrefix.size(), kDate)) + "T00:00Z");
    if (day.ok() && DayOf(*day) + 1 < DayOf(before)) old.emplace_back(name);
  }
  closedir(dir);
  for (const std::string& name : old) {
    const std::string path = keys + "/" + name;
    if (unlink(path.c_str()) != 0) return FileError("remove", path, errno);
  }
  return old.empty() ? Status::Ok() : SyncFolder(keys);
}

void AuditVault::Hold(std::vector<std::string> digests) {
  std::lock_guard lock(mutex_);
  held_before_ = std::exchange(held_, std::move(digests));
}

Status AuditVault::ForgetInputs(const std::function<bool(std::string_view)>& named) {
  const std::string folder = options_.folder + "/inputs";
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return errno == ENOENT ? Status::Ok() : FileError("read", folder, errno);
  constexpr std::string_view kEnding = ".sealed";
  std::map<std::string, bool> kept;  // by digest: whether it was looked into
  std::vector<std::string> all;
  const time_t young = time(nullptr) - kYoungSeconds;
  while (dirent* entry = readdir(dir)) {
    std::string_view name = entry->d_name;
    if (!name.ends_with(kEnding)) continue;
    const std::string path = folder + "/" + std::string(name);
    name.remove_suffix(kEnding.size());
    const std::string digest = "sha256:" + std::string(name);
    all.push_back(digest);
    struct stat info;
    if (stat(path.c_str(), &info) != 0 || info.st_mtime > young || named(digest))
      kept.emplace(digest, false);
  }
  closedir(dir);
  {
    std::lock_guard lock(mutex_);
    for (const auto* held : {&held_, &held_before_}) {
      for (const std::string& digest : *held) {
        if (IsDigest(digest)) kept.emplace(digest, false);  // nothing is kept without `replay`
      }
    }
  }
  // Facts that were pushed are links, each to a document and a change.
  for (bool more = true; more;) {
    more = false;
    std::vector<std::string> found;
    for (auto& [digest, looked] : kept) {
      struct stat info;
      const std::string path = folder + "/" + digest.substr(7) + std::string(kEnding);
      if (std::exchange(looked, true) || inputs_ == nullptr || stat(path.c_str(), &info) != 0 ||
          info.st_size > kMostLink)
        continue;
      Result<std::string> text = Load(digest);
      if (!text.ok()) return text.error();  // what it needs is not known: nothing goes
      for (size_t at = 0; (at = text->find("\"sha256:", at)) != std::string::npos; ++at)
        if (std::string part = text->substr(at + 1, 7 + 64); IsDigest(part))
          found.push_back(std::move(part));
    }
    for (std::string& digest : found) more |= kept.emplace(std::move(digest), false).second;
  }
  bool removed = false;
  for (const std::string& digest : all) {
    if (kept.contains(digest)) continue;
    const std::string path = folder + "/" + digest.substr(7) + std::string(kEnding);
    if (unlink(path.c_str()) != 0) return FileError("remove", path, errno);
    removed = true;
  }
  return removed ? SyncFolder(folder) : Status::Ok();
}

Result<std::string> AuditVault::Save(std::string_view bytes) {
  const std::string hex = Hex(Sha256(bytes));
  const std::string path = options_.folder + "/inputs/" + hex + ".sealed";
  struct stat info;
  if (stat(path.c_str(), &info) == 0) {
    (void)utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // saved again: see ForgetInputs
    return "sha256:" + hex;
  }
  BoxNonce nonce;
  if (!FillRandom(nonce.data(), nonce.size()))
    return Error{"audit.key", path + ": the system gives no random bytes", 0, 0};
  std::string sealed;
  {
    std::lock_guard lock(mutex_);
    inputs_->Seal(nonce, hex, bytes, &sealed);
  }
  DPL_RETURN_IF_ERROR(ReplaceFile(path, sealed, Disk::Real()));
  DPL_RETURN_IF_ERROR(SyncFolder(options_.folder + "/inputs"));
  return "sha256:" + hex;
}

Result<std::string> AuditVault::Load(std::string_view digest) {
  if (!digest.starts_with("sha256:") || !IsName(digest.substr(7)))
    return Error{"audit.input", "not a digest", 0, 0};
  const std::string hex(digest.substr(7));
  if (inputs_ == nullptr)
    return Error{"audit.forgotten", "keys/inputs.key is not there: what was in force is forgotten",
                 0, 0};
  Result<std::string> sealed = ReadFile(options_.folder + "/inputs/" + hex + ".sealed", kMostInput);
  if (!sealed.ok()) return sealed.error();
  std::lock_guard lock(mutex_);
  std::optional<std::string> plain = inputs_->Open(hex, *sealed);
  if (!plain || Hex(Sha256(*plain)) != hex)
    return Error{"audit.sealed", "inputs/" + hex + ".sealed is not what was saved", 0, 0};
  return std::move(*plain);
}

// The sealed bytes; opened_ is the box of that key. Under mutex_.
Result<std::string> AuditVault::Unpack(std::string_view key_id, std::string_view base64) {
  std::string sealed;
  if (!IsName(key_id) || !ParseBase64(base64, &sealed))
    return Error{"audit.sealed", "the sealed part is damaged", 0, 0};
  if (opened_ == nullptr || opened_id_ != key_id) {
    Result<BoxKey> key = ReadKey(std::string(key_id));
    if (!key.ok())
      return Error{"audit.forgotten", "its key is not there: " + key.error().message, 0, 0};
    opened_ = std::make_unique<SealedBox>(*key);
    opened_id_ = key_id;
  }
  return sealed;
}

Result<std::string> AuditVault::OpenBox(std::string_view key_id, std::string_view about,
                                        std::string_view base64, std::string_view more) {
  std::lock_guard lock(mutex_);
  Result<std::string> sealed = Unpack(key_id, base64);
  if (!sealed.ok()) return sealed.error();
  std::optional<std::string> plain = opened_->Open(about, *sealed, more);
  if (!plain) return Error{"audit.sealed", "the sealed part is not what was sealed", 0, 0};
  return std::move(*plain);
}

Result<std::string> AuditVault::PeekBox(std::string_view key_id, std::string_view base64) {
  std::lock_guard lock(mutex_);
  Result<std::string> sealed = Unpack(key_id, base64);
  if (!sealed.ok()) return sealed.error();
  std::optional<std::string> plain = opened_->PeekUnchecked(*sealed);
  if (!plain) return Error{"audit.sealed", "the sealed part is damaged", 0, 0};
  return std::move(*plain);
}

}  // namespace dpl
