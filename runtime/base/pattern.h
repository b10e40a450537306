// The two ways a policy looks into a text: `matches` (a re2 expression) and `like` (wildcards).
// Both are anchored at both ends, and both take time linear in the text whatever the pattern.
//
//   Result<Pattern> p = Pattern::Compile("[a-z]+-[0-9]{4}");
//   p->Matches("inv-2026");                 // true
//   LikeMatches("arn:*:bucket/*", text);    // '*' stands for any run of bytes, also none
//
// A compiled Pattern is immutable: any number of threads may use one.
#pragma once

#include <memory>
#include <string_view>

#include "runtime/base/result.h"

namespace dpl {

class Pattern {
 public:
  static constexpr size_t kMaxSource = 1024;      // bytes of an expression
  static constexpr int64_t kMaxMemory = 1 << 20;  // bytes re2 may use for one

  // Codes: pattern.syntax, pattern.size (too long, or too large once compiled).
  static Result<Pattern> Compile(std::string_view source);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  bool Matches(std::string_view text) const;

 private:
  struct Impl;
  explicit Pattern(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

bool LikeMatches(std::string_view pattern, std::string_view text);

}  // namespace dpl
