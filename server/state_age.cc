// See state_age.h. Lines are searched for the few members that matter, not parsed whole: texts that
// somebody sent are escaped in them, so that a quote and a colon are never theirs.
#include "server/state_age.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/audit/line.h"
#include "runtime/audit/segment.h"
#include "runtime/audit/terms.h"

namespace dpl {
namespace {

constexpr size_t kSegments = 3;
constexpr int64_t kCrashUs = 60'000'000;

uint64_t NumberAfter(std::string_view record, std::string_view member) {
  const size_t at = record.find(member);
  if (at == std::string_view::npos) return 0;
  uint64_t number = 0;
  const char* begin = record.data() + at + member.size();
  std::from_chars(begin, record.data() + record.size(), number);
  return number;
}

struct Told {
  std::optional<StateBehind> behind;
  bool settled = false;  // nothing before these segments can tell of more than they do
};

Result<Told> Read(const std::string& folder, std::span<const SegmentFiles> segments,
                  StateAge state) {
  Told out;
  std::optional<StateBehind>& behind = out.behind;
  std::optional<Instant> begin;
  bool forgets = false;  // that run kept its state in memory
  for (const SegmentFiles& segment : segments) {
    Result<std::unique_ptr<LineReader>> reader =
        LineReader::Open(folder + "/" + SegmentName(segment.first, AuditFile::kLines));
    if (!reader.ok()) return reader.error();
    AuditTermTable shapes;
    std::string whole;
    for (std::string_view bytes;;) {
      Result<LineReader::Found> found = (*reader)->Next(&bytes);
      if (!found.ok()) return found.error();
      AuditLine line;
      if (*found != LineReader::Found::kLine || !ParseAuditLine(bytes, &line)) break;
      if (!begin) begin = line.time;
      if (shapes.Learn(line.record, line.seq)) continue;
      if (shapes.Shape(line.record, line.time, &whole)) line.record = whole;
      if (line.record.find("\"event\":\"start\",\"outcome\":\"done\"") != std::string_view::npos) {
        // That start went on with what it had, and that was on disk.
        behind.reset();
        forgets = line.record.find("\"state\":\"memory\"") != std::string_view::npos;
        const StateAge had{NumberAfter(line.record, "\"epoch\":"),
                           NumberAfter(line.record, "\"last_reservation\":\"")};
        if (!forgets && (had.epoch > state.epoch || had.reservation > state.reservation))
          behind = StateBehind{had, line.time, true};
        continue;
      }
      if (forgets) continue;
      const StateAge told{NumberAfter(line.record, "\"epoch\":"),
                          NumberAfter(line.record, "\"reservation\":{\"id\":")};
      if (told.reservation != 0 && line.time.us - begin->us > kCrashUs) out.settled = true;
      if (!behind && (told.epoch > state.epoch || told.reservation > state.reservation))
        behind = StateBehind{told, line.time, false};
      if (!behind) continue;
      behind->told.epoch = std::max(behind->told.epoch, told.epoch);
      behind->told.reservation = std::max(behind->told.reservation, told.reservation);
      if (line.time.us - behind->since.us > kCrashUs) behind->certain = true;
    }
  }
  return out;
}

}  // namespace

Result<std::optional<StateBehind>> FindStateBehind(const std::string& folder, StateAge state,
                                                   size_t* read) {
  Result<std::vector<SegmentFiles>> segments = ListSegments(folder);
  if (!segments.ok()) return segments.error();
  std::vector<SegmentFiles> last;
  for (const SegmentFiles& segment : *segments) {
    if (segment.lines) last.push_back(segment);
  }
  const std::span<const SegmentFiles> all(last);
  size_t reads = 0;
  Told told;
  // What is not settled, or tells of more than the state knows, is read with what was before.
  for (size_t count : {size_t{1}, kSegments}) {
    if (reads >= all.size() && reads != 0) break;
    reads = std::min(all.size(), count);
    Result<Told> found = Read(folder, all.last(reads), state);
    if (!found.ok()) return found.error();
    told = *found;
    if (told.settled && !told.behind) break;
  }
  if (read != nullptr) *read = reads;
  return told.behind;
}

}  // namespace dpl
