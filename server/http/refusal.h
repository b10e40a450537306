// Why a request is refused before anybody reads its words: a status, a fixed phrase, and the kind
// that metrics count it under.
//
//   if (hosts > 1) return {400, "more than one Host", RefusedFor::kHost};
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace dpl {

#define DPL_REFUSED_FOR(X)                                   \
  X(kRequestLine, "request_line")                            \
  X(kTarget, "target")                                       \
  X(kVersion, "version")                                     \
  X(kHost, "host")                                           \
  X(kHeader, "header")                                       \
  X(kLineEnd, "line_end") /* not CR LF */                    \
  X(kLength, "length")    /* lengths and transfer codings */ \
  X(kChunk, "chunk")                                         \
  X(kExpectation, "expectation")                             \
  X(kHeadSize, "head_too_large")                             \
  X(kTargetSize, "target_too_long")                          \
  X(kBodySize, "body_too_large")                             \
  X(kUnfinished, "unfinished") /* the client ended inside it */

enum class RefusedFor : uint8_t {
#define DPL_KIND(kind, name) kind,
  DPL_REFUSED_FOR(DPL_KIND)
#undef DPL_KIND
};

inline constexpr std::string_view kRefusedForNames[] = {
#define DPL_KIND(kind, name) name,
    DPL_REFUSED_FOR(DPL_KIND)
#undef DPL_KIND
};
inline constexpr size_t kRefusedForCount = std::size(kRefusedForNames);

namespace http {

struct Refusal {
  int status = 0;  // 0: not refused
  std::string_view message;
  RefusedFor kind = RefusedFor::kHeader;
  explicit operator bool() const { return status != 0; }
};

}  // namespace http
}  // namespace dpl
