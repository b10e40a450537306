// dplc audit show and export: the records of an audit log, for people and for other programs.
#include <chrono>
#include <cstdio>
#include <thread>

#include "compiler/dplc/audit_range.h"
#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "runtime/audit/reader.h"
#include "runtime/audit/sentence.h"
#include "runtime/base/text.h"

namespace dpl::dplc {
namespace {

constexpr auto kFollowEvery = std::chrono::milliseconds(200);

int Failed(const Error& error) {
  std::string out = "dplc: ";
  AppendPrintable(&out, error.message);
  Err(out + "\n");
  return error.code == "audit.damaged" ? kFindings : kUsage;
}

// Calls `each` for every record of the range; with `follow`, without end.
template <class Each>
int ForEach(const AuditArgs& args, const Each& each) {
  Result<AuditRange> range = AuditRangeOf(args.from, args.to);
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
  return ForEach(args, [](const AuditRecord& r) {
    if (!r.terms) Out(AuditSentence(r.seq, r.time, r.record) + "\n");
  });
}

int RunAuditExport(const AuditArgs& args) {
  if (args.format == "ocsf" || args.format == "opa") return RunAuditConvert(args);
  const bool as_written = args.format == "lines";
  auto text = [as_written](const AuditRecord& r) {
    if (as_written) return r.line;
    return r.terms ? std::string_view() : r.whole;
  };
  if (args.output.empty() || args.output == "-") {
    return ForEach(args, [&](const AuditRecord& r) {
      if (text(r).empty()) return;
      Out(text(r));
      Out("\n");
    });
  }
  std::FILE* file = std::fopen(args.output.c_str(), "wb");
  if (file == nullptr) return Failed({"path", "cannot write " + args.output});
  bool good = true;
  int code = ForEach(args, [&](const AuditRecord& r) {
    const std::string_view line = text(r);
    if (line.empty()) return;
    good = good && std::fwrite(line.data(), 1, line.size(), file) == line.size() &&
           std::fputc('\n', file) != EOF;
  });
  good = std::fclose(file) == 0 && good;
  return good ? code : Failed({"path", "cannot write " + args.output});
}

}  // namespace dpl::dplc
