// See clock_mark.h. Five lines of text; the last is a digest of those before it.
#include "runtime/state/clock_mark.h"

#include <cerrno>
#include <charconv>
#include <string_view>

#include <unistd.h>

#include "runtime/base/sha256.h"

namespace dpl {
namespace {

constexpr uint64_t kMostBytes = 4096;

std::string PathOf(const std::string& folder) { return folder + "/clock"; }

std::string Lines(const ClockMark& mark) {
  return "dpl clock 1\nboot " + mark.boot + "\nmonotonic_us " +
         std::to_string(mark.trusted.monotonic_us) + "\nahead_us " +
         std::to_string(mark.trusted.ahead_us) + "\n";
}

std::string Text(const ClockMark& mark) {
  const std::string lines = Lines(mark);
  return lines + "sha256 " + Hex(Sha256(lines)) + "\n";
}

// The rest of the line that begins with `name`; false when the next line does not.
bool TakeLine(std::string_view* text, std::string_view name, std::string_view* value) {
  const size_t end = text->find('\n');
  if (end == std::string_view::npos || !text->starts_with(name)) return false;
  *value = text->substr(name.size(), end - name.size());
  text->remove_prefix(end + 1);
  return true;
}

bool TakeNumber(std::string_view* text, std::string_view name, int64_t* number) {
  std::string_view digits;
  if (!TakeLine(text, name, &digits)) return false;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *number);
  return error == std::errc() && end == digits.data() + digits.size();
}

}  // namespace

std::string BootId() {
  Result<std::string> text = ReadFile("/proc/sys/kernel/random/boot_id", kMostBytes);
  if (!text.ok()) return {};
  return text->substr(0, text->find('\n'));
}

Result<std::optional<ClockMark>> ReadClockMark(const std::string& folder) {
  const std::string path = PathOf(folder);
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return std::optional<ClockMark>();
  Result<std::string> bytes = ReadFile(path, kMostBytes);
  if (!bytes.ok()) return bytes.error();
  ClockMark mark;
  std::string_view rest = *bytes, format, boot;
  const bool read = TakeLine(&rest, "dpl clock 1", &format) && TakeLine(&rest, "boot ", &boot) &&
                    TakeNumber(&rest, "monotonic_us ", &mark.trusted.monotonic_us) &&
                    TakeNumber(&rest, "ahead_us ", &mark.trusted.ahead_us);
  mark.boot = boot;
  if (!read || Text(mark) != *bytes)
    return Error{"state.corrupt", path + " is not what was written"};
  return std::optional<ClockMark>(std::move(mark));
}

Status WriteClockMark(const std::string& folder, const ClockMark& mark, Disk* disk) {
  DPL_RETURN_IF_ERROR(ReplaceFile(PathOf(folder), Text(mark), disk));
  return SyncFolder(folder);
}

}  // namespace dpl
