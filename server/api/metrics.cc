// Counting and the Prometheus text.
#include "server/api/metrics.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace dpl {

void MetricsShard::Decided(const Decision& decision, int64_t nanoseconds) {
  decisions[static_cast<size_t>(decision.outcome)][static_cast<size_t>(decision.reason)].Add();
  size_t bucket = static_cast<size_t>(
      std::lower_bound(kBuckets.begin(), kBuckets.end(), nanoseconds) - kBuckets.begin());
  durations[bucket].Add();
  duration_sum_ns.Add(static_cast<uint64_t>(std::max<int64_t>(nanoseconds, 0)));
}

void MetricsShard::Searched(size_t what, uint32_t results, uint32_t decisions,
                            int64_t nanoseconds) {
  searches[what].Add();
  search_results.Add(results);
  search_decisions.Add(decisions);
  search_ns.Add(static_cast<uint64_t>(nanoseconds));
}

void MetricsShard::Answered(int status) {
  auto at = std::find(kStatuses.begin(), kStatuses.end(), status);
  if (at == kStatuses.end()) at = std::find(kStatuses.begin(), kStatuses.end(), 500);
  answers[static_cast<size_t>(at - kStatuses.begin())].Add();
}

void MetricsWriter::Family(std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(*out_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MetricsWriter::Sample(std::string_view name, std::string_view labels, uint64_t value) {
  Line(name, labels, std::to_string(value));
}

void MetricsWriter::Seconds(std::string_view name, std::string_view labels, double value) {
  Line(name, labels, fmt::format("{:.9f}", value));
}

void MetricsWriter::Line(std::string_view name, std::string_view labels, std::string_view value) {
  out_->append(name);
  if (!labels.empty()) out_->append("{").append(labels).append("}");
  out_->append(" ").append(value).append("\n");
}

void MetricsWriter::Label(std::string* labels, std::string_view name, std::string_view value) {
  if (!labels->empty()) labels->push_back(',');
  labels->append(name).append("=\"");
  for (char c : value) {
    if (c == '\\' || c == '"') labels->push_back('\\');
    if (c == '\n') {
      labels->append("\\n");
    } else {
      labels->push_back(c);
    }
  }
  labels->push_back('"');
}

}  // namespace dpl
