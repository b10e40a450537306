// The log of dpld: one event per line on stderr, as text or as JSON.
//
//   Log log(LogFormat::kJson, &clock);
//   log.Info("start", {{"bundle", path}, {"digest", digest}});
//   // {"time":"2026-11-20T15:00:00Z","level":"info","event":"start","bundle":"…","digest":"…"}
//   // 2026-11-20T15:00:00Z info  start bundle=policy.dplb digest="…"
//
// Whatever the values hold, an event stays one line: controls are escaped, long values cut. Tokens
// and bodies are never logged. Any thread; a line is written at once or not at all.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "runtime/base/clock.h"
#include "server/config.h"

namespace dpl {

struct LogField {
  std::string_view name;
  std::string_view value;
};

class Log {
 public:
  Log(LogFormat format, Clock* clock, int descriptor = 2)
      : format_(format), clock_(clock), descriptor_(descriptor) {}

  void Info(std::string_view event, std::initializer_list<LogField> fields) {
    Write("info", event, fields);
  }
  void Warn(std::string_view event, std::initializer_list<LogField> fields) {
    Write("warn", event, fields);
  }
  void Fail(std::string_view event, std::initializer_list<LogField> fields) {
    Write("error", event, fields);
  }

  // The line as it would be written, with its line feed.
  std::string Format(std::string_view level, std::string_view event,
                     std::initializer_list<LogField> fields) const;

  static constexpr size_t kMostValueBytes = 4096;

 private:
  void Write(std::string_view level, std::string_view event,
             std::initializer_list<LogField> fields);

  LogFormat format_;
  Clock* clock_;
  int descriptor_;
};

}  // namespace dpl
