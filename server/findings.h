// What `dpld --check-config` found, for people on stderr or for programs on stdout.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server/config.h"

namespace dpl {

class Findings {
 public:
  // `file`: what it is about; empty: the command line, or all of it together.
  void Add(const std::string& file, const ConfigProblem& problem) {
    found_.emplace_back(file, problem);
  }
  // Of a load that failed: its message begins with the file and place, which are told apart.
  void AddLoad(const Error& error, const Config& config);
  bool empty() const { return found_.empty(); }

  // `dpld.json:2:13: limits: has no member …`, a line each.
  void PrintText() const;
  // {"ok":false,"problems":[{"file","line","column","path","message"}]}; when all is good, what was
  // loaded beside it.
  void PrintJson(const Config& config, const std::string& digest) const;

 private:
  std::vector<std::pair<std::string, ConfigProblem>> found_;
};

}  // namespace dpl
