// Log lines.
#include "server/log.h"

#include <algorithm>

#include <unistd.h>

#include "runtime/base/text.h"

namespace dpl {
namespace {

// Texts that need no quotes in a text log: a reader can tell where they end.
bool IsPlain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._:/+@%,[]").find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string Log::Format(std::string_view level, std::string_view event,
                        std::initializer_list<LogField> fields) const {
  std::string line;
  const std::string time = FormatInstant(clock_->Now());
  if (format_ == LogFormat::kJson) {
    auto member = [&line](std::string_view name, std::string_view value) {
      line.append(line.empty() ? "{" : ",");
      AppendJsonString(&line, name);
      line.push_back(':');
      AppendJsonString(&line, value.substr(0, kMostValueBytes));
    };
    member("time", time);
    member("level", level);
    member("event", event);
    for (const LogField& field : fields) member(field.name, field.value);
    line.append("}\n");
    return line;
  }
  line.append(time).append(" ").append(level).append(level.size() < 5 ? "  " : " ").append(event);
  for (const LogField& field : fields) {
    line.append(" ").append(field.name).append("=");
    std::string_view value = field.value.substr(0, kMostValueBytes);
    if (IsPlain(value)) {
      line.append(value);
    } else {
      AppendJsonString(&line, value);
    }
  }
  line.push_back('\n');
  return line;
}

void Log::Write(std::string_view level, std::string_view event,
                std::initializer_list<LogField> fields) {
  const std::string line = Format(level, event, fields);
  // One call per line: lines of several threads do not mix. A log that cannot be written must not
  // stop decisions.
  [[maybe_unused]] ssize_t written = write(descriptor_, line.data(), line.size());
}

}  // namespace dpl
