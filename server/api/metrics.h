// What the service counts, in the Prometheus text format 0.0.4.
//
// Each serving thread owns a shard and is its only writer, so counting takes no locked instruction;
// a scrape adds the shards up. No label ever carries an id of a person, agent or resource.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/decide/decision.h"
#include "server/http/tally.h"

namespace dpl {

inline constexpr int kReasonCount = 0
#define DPL_REASON(name, code, step, user, meaning) +1
#include "runtime/decide/reasons.def"
#undef DPL_REASON
    ;

struct MetricsShard {
  // Upper bounds in nanoseconds; the last bucket, +Inf, is not listed.
  static constexpr std::array<int64_t, 13> kBuckets = {
      1'000,   2'500,   5'000,     10'000,    25'000,     50'000,     100'000,
      250'000, 500'000, 1'000'000, 5'000'000, 25'000'000, 100'000'000};
  // The statuses the service gives; anything else counts as 500.
  static constexpr std::array<int, 11> kStatuses = {200, 400, 401, 403, 404, 405,
                                                    413, 415, 429, 500, 503};

  void Decided(const Decision& decision, int64_t nanoseconds);
  void Answered(int status);
  // A page of a search: of subjects, resources or actions (SearchFor).
  void Searched(size_t what, uint32_t results, uint32_t decisions, int64_t nanoseconds);

  std::array<std::array<Tally, kReasonCount>, 3> decisions;  // by outcome, then reason
  std::array<Tally, kBuckets.size() + 1> durations;
  Tally duration_sum_ns;
  std::array<Tally, kStatuses.size()> answers;
  std::array<Tally, 3> searches;  // by what was searched
  Tally search_results, search_decisions, search_ns;
  Tally unauthenticated;
  Tally traceparent_invalid;
  Tally item_errors;  // items of a batch that could not be evaluated
};

// Writes one family at a time: `# HELP`, `# TYPE`, then samples.
class MetricsWriter {
 public:
  explicit MetricsWriter(std::string* out) : out_(out) {}
  // `type` is counter, gauge or histogram.
  void Family(std::string_view name, std::string_view type, std::string_view help);
  // Labels come as name, value pairs already joined by Label().
  void Sample(std::string_view name, std::string_view labels, uint64_t value);
  void Seconds(std::string_view name, std::string_view labels, double value);
  static void Label(std::string* labels, std::string_view name, std::string_view value);

 private:
  void Line(std::string_view name, std::string_view labels, std::string_view value);
  std::string* out_;
};

}  // namespace dpl
