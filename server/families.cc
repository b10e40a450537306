// See families.h.
#include "server/families.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

namespace dpl {
namespace {

void One(MetricsWriter* writer, std::string_view name, std::string_view type, std::string_view help,
         uint64_t value) {
  writer->Family(name, type, help);
  writer->Sample(name, "", value);
}

// The n-th number of a line of numbers, from 1; 0 where there is none.
unsigned long long NumberAt(const std::string& line, int n) {
  size_t at = 0;
  for (int i = 1; i < n; ++i) {
    at = line.find(' ', at);
    if (at == std::string::npos) return 0;
    ++at;
  }
  return std::strtoull(line.c_str() + at, nullptr, 10);
}

// A small file of /proc; empty where it cannot be read.
std::string ReadProc(const char* path) {
  std::string text(4096, '\0');
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return {};
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

}  // namespace

void AppendHttpMetrics(const HttpCounters& counters, MetricsWriter* writer) {
  One(writer, "dpl_http_connections_total", "counter", "Connections accepted.",
      counters.connections_accepted);
  One(writer, "dpl_http_connections_open", "gauge", "Connections open now.",
      counters.connections_open);
  One(writer, "dpl_http_connections_shed_total", "counter",
      "Connections refused because too many were open.", counters.connections_shed);
  One(writer, "dpl_http_connections_evicted_total", "counter",
      "Connections closed while they waited, to make room for another.",
      counters.connections_evicted);
  One(writer, "dpl_http_overloaded_total", "counter",
      "Requests refused with 503 because no memory was left for them.", counters.overloaded);
  One(writer, "dpl_http_buffered_bytes", "gauge", "Memory kept for requests and answers under way.",
      counters.buffered_bytes);
  writer->Family("dpl_http_requests_refused_total", "counter",
                 "Requests refused as malformed or too large, by what was wrong.");
  for (size_t i = 0; i < kRefusedForCount; ++i) {
    std::string labels;
    MetricsWriter::Label(&labels, "reason", kRefusedForNames[i]);
    writer->Sample("dpl_http_requests_refused_total", labels, counters.refused_for[i]);
  }
  One(writer, "dpl_http_timeouts_total", "counter", "Connections dropped at a deadline.",
      counters.timed_out);
  One(writer, "dpl_http_handler_failures_total", "counter",
      "Faults of our own inside a request; must stay 0.", counters.handler_failures);
  One(writer, "dpl_http_received_bytes_total", "counter", "Bytes received.",
      counters.bytes_received);
  One(writer, "dpl_http_sent_bytes_total", "counter", "Bytes sent.", counters.bytes_sent);
}

void AppendAuditMetrics(const AuditHealth& health, MetricsWriter* writer) {
  One(writer, "dpl_audit_writable", "gauge", "0 while the audit log takes no records.",
      health.writable ? 1 : 0);
  One(writer, "dpl_audit_records_total", "counter",
      "Records in the log, those on the way included.", health.records);
  One(writer, "dpl_audit_kept_records", "gauge", "Records of them that are on disk.", health.kept);
  One(writer, "dpl_audit_signed_records", "gauge",
      "Records of them under the last signed checkpoint.", health.signed_size);
  One(writer, "dpl_audit_dropped_total", "counter",
      "Records lost since the start, in mode `available`; must stay 0.", health.dropped);
  One(writer, "dpl_audit_refused_total", "counter",
      "Records not taken since the start, in mode `required`; what they were about was denied.",
      health.refused);
  One(writer, "dpl_audit_waits_total", "counter",
      "How often a thread had to wait for room in the log's buffer.", health.waits);
  One(writer, "dpl_audit_groups_total", "counter", "Groups of records, each with one sync.",
      health.groups);
  One(writer, "dpl_audit_segments", "gauge", "Segments of the log on disk.", health.segments);
}

void AppendProcessMetrics(MetricsWriter* writer) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  // Behind the name in brackets, which may hold anything, comes field 3.
  std::string stat = ReadProc("/proc/self/stat");
  stat.erase(0, stat.rfind(')') == std::string::npos ? stat.size() : stat.rfind(')') + 2);
  if (!stat.empty()) {
    writer->Family("process_cpu_seconds_total", "counter", "Processor time used, user and system.");
    writer->Seconds("process_cpu_seconds_total", "",
                    static_cast<double>(NumberAt(stat, 12) + NumberAt(stat, 13)) / ticks);
    One(writer, "process_virtual_memory_bytes", "gauge", "Virtual memory.", NumberAt(stat, 21));
    One(writer, "process_resident_memory_bytes", "gauge", "Resident memory.",
        NumberAt(stat, 22) * page);
    // Field 22 counts from the boot.
    timespec now{}, up{};
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &up);
    writer->Family("process_start_time_seconds", "gauge", "When the process was started.");
    writer->Seconds("process_start_time_seconds", "",
                    static_cast<double>(now.tv_sec - up.tv_sec) +
                        static_cast<double>(NumberAt(stat, 20)) / ticks);
  }
  std::error_code failed;
  uint64_t open = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", failed), end; !failed && at != end;
       at.increment(failed))
    ++open;
  if (!failed && open > 0)  // without the one that looked
    One(writer, "process_open_fds", "gauge", "File descriptors in use.", open - 1);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    One(writer, "process_max_fds", "gauge", "File descriptors there may be.", limit.rlim_cur);
}

}  // namespace dpl
