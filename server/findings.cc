// See findings.h.
#include "server/findings.h"

#include <cstdio>
#include <string_view>

#include "runtime/base/text.h"
#include "runtime/json/json_writer.h"

namespace dpl {

void Findings::AddLoad(const Error& error, const Config& config) {
  for (const std::string& file : {config.bundle, config.facts}) {
    std::string_view message = error.message;
    if (file.empty() || !message.starts_with(file + ":")) continue;
    message.remove_prefix(file.size() + 1);
    if (error.line != 0) {
      const std::string place =
          std::to_string(error.line) + ":" + std::to_string(error.column) + ":";
      if (message.starts_with(place)) message.remove_prefix(place.size());
    }
    if (message.starts_with(" ")) message.remove_prefix(1);
    return Add(file, {"", std::string(message), error.line, error.column});
  }
  Add("", {"", error.message, error.line, error.column});
}

void Findings::PrintText() const {
  for (const auto& [file, problem] : found_) {
    std::string line = file;
    if (problem.line != 0)
      line += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
    if (!line.empty()) line += ": ";
    AppendPrintable(&line, problem.path.empty() ? problem.message : problem.Text());
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

void Findings::PrintJson(const Config& config, const std::string& digest) const {
  std::string out;
  JsonWriter writer(&out);
  writer.BeginObject().Key("ok").Bool(empty());
  if (empty()) {
    writer.Member("bundle", config.bundle).Member("digest", digest);
    writer.Member("facts", config.facts);
  }
  writer.Key("problems").BeginArray();
  for (const auto& [file, problem] : found_) {
    writer.BeginObject();
    if (!file.empty()) writer.Member("file", file);
    if (problem.line != 0) {
      writer.Key("line").Uint(problem.line);
      writer.Key("column").Uint(problem.column);
    }
    if (!problem.path.empty()) writer.Member("path", problem.path);
    writer.Member("message", problem.message).EndObject();
  }
  writer.EndArray().EndObject();
  std::printf("%s\n", out.c_str());
}

}  // namespace dpl
