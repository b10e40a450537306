// The facts in force, for whoever pushes others: seen, replaced as a whole, or changed record by
// record. What the operating API needs of dpld; server/policy_keeper.h does it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/instant.h"
#include "runtime/base/result.h"

namespace dpl {

struct FactsInForce {
  std::string version;
  Instant as_of{};
  bool pushed = false;      // not (any more) what the facts file says
  std::string file;         // its path
  uint64_t changes = 0;     // pushed since the last whole document
  uint64_t kept_bytes = 0;  // on disk, of what was pushed
  std::string replaced;     // the version before, after a push
};

class FactsFeed {
 public:
  virtual ~FactsFeed() = default;

  virtual FactsInForce Look() = 0;
  // `text` is a facts file, or changes (docs/facts.md); `expected` the version that must be in
  // force, empty for any. Checked whole, kept, and in force from the next request on when it
  // returns Ok; else nothing has changed. Codes: facts.moved (another version is in force),
  // facts.kept (it could not be kept); any other: the text is wrong, at line and column of it where
  // they are known.
  virtual Result<FactsInForce> Replace(std::string_view text, std::string_view expected) = 0;
  virtual Result<FactsInForce> Change(std::string_view text, std::string_view expected) = 0;
};

}  // namespace dpl
