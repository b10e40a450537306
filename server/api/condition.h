// How well the service is, in one word and its reasons: LOADED, STALE or ERROR (docs/dpld.md,
// "Health"). Only server/api sees this header.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/base/instant.h"

namespace dpl {

class Snapshot;

struct Condition {
  static constexpr std::string_view kNames[] = {"LOADED", "STALE", "ERROR"};
  std::string_view name;
  std::vector<std::string_view> because;  // codes; empty: LOADED
};

// The policy's `source NAME within DURATION`, and whether the facts in force are older than that.
struct SourceState {
  std::string_view name;
  int64_t within_us = 0;  // 0: the policy states none
  bool stale = false;
};
SourceState LookAtSource(const Snapshot& snapshot, Instant now);

// Which parts the facts in force have at all; what is not loaded is unknown to every decision.
struct FeedState {
  std::string_view name;
  bool loaded = false;
};
std::array<FeedState, 4> LookAtFeeds(const Snapshot& snapshot);

}  // namespace dpl
