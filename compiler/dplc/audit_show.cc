// dplc audit show and export: the records of an audit log, for people and for other programs.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <thread>

#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "runtime/audit/reader.h"
#include "runtime/audit/sentence.h"
#include "runtime/base/text.h"

namespace dpl::dplc {
namespace {

constexpr auto kFollowEvery = std::chrono::milliseconds(200);

// A bound of a range: digits alone are a record's number.
Status Bound(const std::string& text, uint64_t* number, std::optional<Instant>* instant) {
  if (text.empty()) return Status::Ok();
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  if (error == std::errc() && stop == text.data() + text.size()) return Status::Ok();
  Result<Instant> parsed = ParseInstant(text);
  if (!parsed.ok())
    return Error{"audit.range", "`" + text + "` is neither a record's number nor an instant"};
  *instant = *parsed;
  return Status::Ok();
}

Result<AuditRange> RangeOf(const AuditArgs& args) {
  AuditRange range;
  uint64_t from = 0, to = 0;
  DPL_RETURN_IF_ERROR(Bound(args.from, &from, &range.since));
  DPL_RETURN_IF_ERROR(Bound(args.to, &to, &range.until));
  if (!range.since.has_value()) range.from = from;
  if (!args.to.empty() && !range.until.has_value()) range.to = to;
  return range;
}

int Failed(const Error& error) {
  std::string out = "dplc: ";
  AppendPrintable(&out, error.message);
  Err(out + "\n");
  return error.code == "audit.damaged" ? kFindings : kUsage;
}

// Calls `each` for every record of the range; with `follow`, without end.
template <class Each>
int ForEach(const AuditArgs& args, const Each& each) {
  Result<AuditRange> range = RangeOf(args);
  if (!range.ok()) return Failed(range.error());
  Result<std::unique_ptr<AuditReader>> reader = AuditReader::Open(args.folder, *range);
  if (!reader.ok()) return Failed(reader.error());
  AuditRecord record;
  for (;;) {
    Result<bool> more = (*reader)->Next(&record);
    if (!more.ok()) return Failed(more.error());
    if (*more) {
      each(record);
    } else if (args.follow) {
      std::fflush(stdout);
      std::this_thread::sleep_for(kFollowEvery);
    } else {
      return kOk;
    }
  }
}

}  // namespace

int RunAuditShow(const AuditArgs& args) {
  return ForEach(args,
                 [](const AuditRecord& r) { Out(AuditSentence(r.seq, r.time, r.record) + "\n"); });
}

int RunAuditExport(const AuditArgs& args) {
  if (args.output.empty() || args.output == "-") {
    return ForEach(args, [](const AuditRecord& r) {
      Out(r.line);
      Out("\n");
    });
  }
  std::FILE* file = std::fopen(args.output.c_str(), "wb");
  if (file == nullptr) return Failed({"path", "cannot write " + args.output});
  bool good = true;
  int code = ForEach(args, [&](const AuditRecord& r) {
    good = good && std::fwrite(r.line.data(), 1, r.line.size(), file) == r.line.size() &&
           std::fputc('\n', file) != EOF;
  });
  good = std::fclose(file) == 0 && good;
  return good ? code : Failed({"path", "cannot write " + args.output});
}

}  // namespace dpl::dplc
