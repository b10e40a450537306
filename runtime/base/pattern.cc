// The one file that knows re2, and the wildcard matcher.
#include "runtime/base/pattern.h"

#include <cstring>
#include <string>
#include <utility>

#include <re2/re2.h>

namespace dpl {

struct Pattern::Impl {
  Impl(std::string_view source, const re2::RE2::Options& options)
      : re({source.data(), source.size()}, options) {}
  re2::RE2 re;
};

Pattern::Pattern(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::Compile(std::string_view source) {
  if (source.size() > kMaxSource) {
    return Error{"pattern.size", "a pattern has at most 1,024 bytes"};
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  options.set_never_capture(true);
  auto impl = std::make_unique<Impl>(source, options);
  if (!impl->re.ok()) {
    if (impl->re.error_code() == re2::RE2::ErrorPatternTooLarge) {
      return Error{"pattern.size", "the pattern needs too much memory"};
    }
    return Error{"pattern.syntax", impl->re.error()};
  }
  return Pattern(std::move(impl));
}

bool Pattern::Matches(std::string_view text) const {
  return re2::RE2::FullMatch({text.data(), text.size()}, impl_->re);
}

bool LikeMatches(std::string_view pattern, std::string_view text) {
  size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  text.remove_prefix(star);
  pattern.remove_prefix(star);
  // `pattern` now begins with a star. Each middle piece is taken at its first place; the last one
  // must end the text.
  while (true) {
    pattern.remove_prefix(1);
    star = pattern.find('*');
    if (star == std::string_view::npos) return text.ends_with(pattern);
    std::string_view piece = pattern.substr(0, star);
    if (!piece.empty()) {
      const void* at = memmem(text.data(), text.size(), piece.data(), piece.size());
      if (at == nullptr) return false;
      size_t skip = static_cast<size_t>(static_cast<const char*>(at) - text.data());
      text.remove_prefix(skip + piece.size());
    }
    pattern.remove_prefix(star);
  }
}

}  // namespace dpl
