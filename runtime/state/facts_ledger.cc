// See facts_ledger.h. The layout of the changes file is in docs/state.md:
//
//   dpl facts 1
//   document <bytes> <sha256>
//   file <sha256>
//   as_of <instant>
//   at <instant>
//   change <instant> <bytes> <sha256 over the digest before, the instant and the bytes>
//   <bytes> …
#include "runtime/state/facts_ledger.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <dirent.h>
#include <unistd.h>

#include "runtime/facts/json_facts.h"
#include "runtime/json/json.h"

namespace dpl {
namespace {

constexpr std::string_view kFirstLine = "dpl facts 1";
constexpr std::string_view kChanges = "changes-", kDocument = "facts-", kJson = ".json";

Error Corrupt(const std::string& path, uint64_t at, std::string_view what) {
  return {"facts.corrupt", path + ": " + std::string(what) + " at byte " + std::to_string(at) +
                               "; take the folder away to go back to the facts file"};
}

// The words of the line at `*at`, which moves behind it; false: there is no whole line.
bool TakeLine(std::string_view bytes, uint64_t* at, std::vector<std::string_view>* words) {
  size_t end = bytes.find('\n', *at);
  if (end == std::string_view::npos) return false;
  std::string_view line = bytes.substr(*at, end - *at);
  *at = end + 1;
  words->clear();
  while (!line.empty()) {
    size_t blank = line.find(' ');
    words->push_back(line.substr(0, blank));
    line.remove_prefix(blank == std::string_view::npos ? line.size() : blank + 1);
  }
  return true;
}

bool ReadCount(std::string_view text, uint64_t* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

Digest Chain(const Digest& before, std::string_view at, std::string_view change) {
  Sha256Stream stream;
  stream.Update({reinterpret_cast<const char*>(before.data()), before.size()});
  stream.Update(at);
  stream.Update(change);
  return stream.Finish();
}

bool NumberOf(std::string_view name, uint64_t* number) {
  if (!name.starts_with(kChanges)) return false;
  return ReadCount(name.substr(kChanges.size()), number) && *number != 0;
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return names;
  while (dirent* entry = readdir(dir)) names.emplace_back(entry->d_name);
  closedir(dir);
  return names;
}

std::string Header(std::string_view document, const FactsLedger::Base& base) {
  std::string out(kFirstLine);
  out.append("\ndocument ").append(std::to_string(document.size())).append(" ");
  out.append(Hex(Sha256(document))).append("\nfile ").append(base.file.empty() ? "-" : base.file);
  out.append("\nas_of ").append(FormatInstant(base.as_of));
  out.append("\nat ").append(FormatInstant(base.at)).append("\n");
  return out;
}

}  // namespace

std::string FactsLedger::DocumentPath(uint64_t number) const {
  return folder_ + "/" + std::string(kDocument) + std::to_string(number) + std::string(kJson);
}
std::string FactsLedger::ChangesPath(uint64_t number) const {
  return folder_ + "/" + std::string(kChanges) + std::to_string(number);
}
std::string FactsLedger::place() const {
  return folder_.empty() ? "the facts that were pushed" : DocumentPath(number_);
}

Result<std::unique_ptr<FactsLedger>> FactsLedger::Open(std::string folder, bool read_only,
                                                       Disk* disk) {
  std::unique_ptr<FactsLedger> ledger(new FactsLedger(std::move(folder), disk));
  if (ledger->folder_.empty()) return ledger;
  uint64_t latest = 0, number = 0;
  for (const std::string& name : NamesIn(ledger->folder_)) {
    if (NumberOf(name, &number)) latest = std::max(latest, number);
  }
  ledger->highest_ = latest;
  if (latest != 0) DPL_RETURN_IF_ERROR(ledger->Load(latest, read_only));
  return ledger;
}

Status FactsLedger::Load(uint64_t number, bool read_only) {
  const std::string path = ChangesPath(number);
  Result<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return bytes.error();
  uint64_t at = 0, size = 0;
  std::vector<std::string_view> words;
  auto line = [&](std::string_view name, size_t count) {
    return TakeLine(*bytes, &at, &words) && words.size() == count && words[0] == name;
  };
  if (!TakeLine(*bytes, &at, &words) || bytes->substr(0, kFirstLine.size()) != kFirstLine)
    return Corrupt(path, 0, "no header that this program knows");
  if (!line("document", 3) || !ReadCount(words[1], &size)) return Corrupt(path, at, "a bad header");
  const std::string digest(words[2]);
  if (!line("file", 2)) return Corrupt(path, at, "a bad header");
  base_.file = words[1];
  if (!line("as_of", 2)) return Corrupt(path, at, "a bad header");
  Result<Instant> as_of = ParseInstant(words[1]);
  if (!line("at", 2)) return Corrupt(path, at, "a bad header");
  Result<Instant> pushed = ParseInstant(words[1]);
  if (!as_of.ok() || !pushed.ok()) return Corrupt(path, at, "a bad header");
  base_.as_of = *as_of;
  base_.at = last_at_ = *pushed;
  number_ = number;
  if (size == 0 && digest == "dropped") {  // what was pushed was given up for the facts file
    number_ = 0;
    return Status::Ok();
  }
  Result<std::string> document = ReadFile(DocumentPath(number));
  if (!document.ok()) return document.error();
  document_bytes_ = document->size();
  if (size != document->size() || Hex(Sha256(*document)) != digest)
    return Corrupt(DocumentPath(number), 0, "other bytes than were written");
  chain_ = Sha256(*document);
  uint64_t end = 0;
  DPL_RETURN_IF_ERROR(WalkChanges(
      *bytes, [](std::string_view, Instant) { return Status::Ok(); }, &end, &chain_, &last_at_,
      &changes_));
  std::string_view rest = std::string_view(*bytes).substr(end);
  size_t torn = rest.find_last_not_of('\0');
  torn_ = torn == std::string_view::npos ? 0 : torn + 1;
  changes_bytes_ = end;
  if (read_only) return Status::Ok();
  Result<std::unique_ptr<AppendFile>> file = AppendFile::Reopen(path, end, disk_);
  if (!file.ok()) return file.error();
  file_ = file.take();
  return Tidy();
}

// Stops behind the last whole change. What follows it must be what a cut write leaves: nothing, or
// the beginning of one change.
Status FactsLedger::WalkChanges(std::string_view bytes,
                                const std::function<Status(std::string_view, Instant)>& each,
                                uint64_t* end, Digest* chain, Instant* last,
                                uint64_t* count) const {
  uint64_t at = 0;
  std::vector<std::string_view> words;
  for (int line = 0; line < 5; ++line) TakeLine(bytes, &at, &words);
  *end = at;
  while (at < bytes.size() && bytes[at] != '\0') {
    uint64_t size = 0;
    bool whole = TakeLine(bytes, &at, &words) && words.size() == 4 && words[0] == "change" &&
                 ReadCount(words[2], &size) && size < bytes.size() - at && bytes[at + size] == '\n';
    Result<Instant> when = whole ? ParseInstant(words[1]) : Error{"facts.corrupt", ""};
    std::string_view change;
    if (whole && when.ok()) {
      change = bytes.substr(at, size);
      const Digest next = Chain(*chain, words[1], change);
      whole = Hex(next) == words[3];
      if (whole) *chain = next;
    }
    if (!whole || !when.ok()) {
      // Damage, when another change begins further on.
      size_t further = bytes.find("\nchange ", *end);
      if (further != std::string_view::npos)
        return Corrupt(ChangesPath(number_), *end, "a damaged change");
      return Status::Ok();
    }
    DPL_RETURN_IF_ERROR(each(change, *when));
    at += size + 1;
    *end = at;
    *last = *when;
    ++*count;
  }
  return Status::Ok();
}

// Pairs of before the one in force. What cannot be taken away costs room, nothing else.
Status FactsLedger::Tidy() {
  const std::string keep[] = {std::string(kDocument) + std::to_string(number_) + std::string(kJson),
                              std::string(kChanges) + std::to_string(highest_)};
  for (const std::string& name : NamesIn(folder_)) {
    if (!name.starts_with(kChanges) && !name.starts_with(kDocument)) continue;
    if (std::find(std::begin(keep), std::end(keep), name) != std::end(keep)) continue;
    unlink((folder_ + "/" + name).c_str());
  }
  return Status::Ok();
}

Status FactsLedger::Begin(std::string_view document, const Base& base) {
  const std::string header = Header(document, base);
  if (folder_.empty()) {
    document_ = document;
    log_ = header;
    number_ = highest_ = highest_ + 1;
  } else {
    DPL_RETURN_IF_ERROR(MakeFolder(folder_));
    uint64_t next = highest_ + 1;
    DPL_RETURN_IF_ERROR(ReplaceFile(DocumentPath(next), document, disk_));
    Result<std::unique_ptr<AppendFile>> file = AppendFile::Create(ChangesPath(next), header, disk_);
    if (!file.ok()) {
      // It may be there and not be synced: then a later start would take it for the latest.
      if (unlink(ChangesPath(next).c_str()) != 0 && errno != ENOENT) unsure_ = true;
      highest_ = next;
      return file.error();
    }
    unsure_ = false;
    file_ = file.take();
    number_ = highest_ = next;
    DPL_RETURN_IF_ERROR(Tidy());
  }
  base_ = base;
  chain_ = Sha256(document);
  last_at_ = base.at;
  changes_ = 0;
  document_bytes_ = document.size();
  changes_bytes_ = header.size();
  return Status::Ok();
}

Status FactsLedger::Append(std::string_view change, Instant at) {
  DPL_CHECK(holds());
  const std::string when = FormatInstant(at);
  const Digest next = Chain(chain_, when, change);
  std::string record = "change " + when + " " + std::to_string(change.size()) + " " + Hex(next);
  record.append("\n").append(change).append("\n");
  if (folder_.empty()) {
    log_.append(record);
  } else if (unsure_) {
    return Error{"facts.unsure", "an unfinished document in " + folder_ + " cannot be taken away"};
  } else {
    DPL_RETURN_IF_ERROR(file_->Append(record));
  }
  chain_ = next;
  last_at_ = at;
  ++changes_;
  changes_bytes_ += record.size();
  return Status::Ok();
}

Status FactsLedger::Drop() {
  if (!holds()) return Status::Ok();
  if (folder_.empty()) {
    document_.clear();
    log_.clear();
  } else {
    // Another pair takes the place, one that says that there is nothing; at once and whole.
    std::string header(kFirstLine);
    header.append("\ndocument 0 dropped\nfile -\nas_of ").append(FormatInstant(base_.as_of));
    header.append("\nat ").append(FormatInstant(last_at_)).append("\n");
    DPL_RETURN_IF_ERROR(ReplaceFile(ChangesPath(highest_ + 1), header, disk_));
    ++highest_;
    file_ = nullptr;
  }
  number_ = 0;
  changes_ = document_bytes_ = changes_bytes_ = 0;
  return folder_.empty() ? Status::Ok() : Tidy();
}

std::string FactsLedger::NextVersion(std::string_view change, Instant at) const {
  return "sha256:" + Hex(Chain(chain_, FormatInstant(at), change));
}

Result<std::string> FactsLedger::Document() const {
  if (folder_.empty()) return document_;
  return ReadFile(DocumentPath(number_));
}

Result<std::string> FactsLedger::ChangesText() const {
  if (folder_.empty()) return log_;
  Result<std::string> text = ReadFile(ChangesPath(number_));
  if (text.ok()) text->resize(std::min<size_t>(text->size(), changes_bytes_));
  return text;
}

Result<std::unique_ptr<FactsDocument>> FactsLedger::Replay() const {
  DPL_CHECK(holds());
  Result<std::string> text = Document();
  if (!text.ok()) return text.error();
  Result<FactsInput> facts = ReadFactsJson(*text, place());
  if (!facts.ok()) return facts.error();
  if (!facts->as_of) facts->as_of = base_.as_of;
  text->clear();
  text->shrink_to_fit();
  auto document = std::make_unique<FactsDocument>(facts.take());
  Arena arena;
  Status applied = EachChange([&](std::string_view change, const std::string& version) -> Status {
    arena.Reset();
    Result<const WireValue*> root = ParseJson(change, &arena, FileJsonLimits());
    if (!root.ok()) return root.error();
    Result<FactsChanges> changes = ReadFactsChanges(**root);
    if (!changes.ok()) return changes.error();
    DPL_RETURN_IF_ERROR(document->Apply(*changes));
    if (changes->version.empty()) document->set_version(version);
    return Status::Ok();
  });
  if (!applied.ok()) return applied.error();
  document->Accept();
  return document;
}

Status FactsLedger::EachChange(const EachChangeFn& each) const {
  Result<std::string> text = Document();
  if (!text.ok()) return text.error();
  Digest chain = Sha256(*text), before = chain;
  text->clear();
  Result<std::string> log = ChangesText();
  if (!log.ok()) return log.error();
  uint64_t end = 0, count = 0;
  Instant last{};
  auto walk = [&](std::string_view change, Instant at) -> Status {
    before = Chain(before, FormatInstant(at), change);
    return each(change, "sha256:" + Hex(before));
  };
  DPL_RETURN_IF_ERROR(WalkChanges(*log, walk, &end, &chain, &last, &count));
  if (count != changes_) return Corrupt(ChangesPath(number_), end, "fewer changes than were made");
  return Status::Ok();
}

}  // namespace dpl
