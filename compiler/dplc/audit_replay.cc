// dplc audit replay: recorded decisions, decided again.
#include <algorithm>
#include <map>

#include "compiler/dplc/audit_range.h"
#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "compiler/testing/compile.h"
#include "runtime/audit/reader.h"
#include "runtime/audit/replay.h"
#include "runtime/base/text.h"
#include "runtime/bytecode/decode.h"
#include "runtime/json/json_writer.h"

namespace dpl::dplc {
namespace {

// What changes alike, counted.
struct Change {
  std::string from, to, who, action;
  auto operator<=>(const Change&) const = default;
};
struct Counted {
  uint64_t count = 0;
  std::string first_id, first_says;
};

struct Totals {
  uint64_t decisions = 0, same = 0, changed = 0, other_grounds = 0, cannot_tell = 0, not_kept = 0,
           damaged = 0;
  std::map<Change, Counted> changes;
  // Of those that stay as they were: what else they would rest on.
  std::map<std::string, Counted> grounds;
  std::map<std::string, uint64_t> missing, reasons_not_kept;
  std::vector<Replayed> differing;  // the first ones
};

constexpr size_t kMostShown = 20;

Result<std::shared_ptr<const Program>> PolicyOf(const std::string& path) {
  if (path.ends_with(".dplb")) {
    Result<std::string> bytes = testing::ReadFile(path);
    if (!bytes.ok()) return bytes.error();
    Result<Program> program = DecodeBundle(*bytes);
    if (!program.ok()) return Error{"path", path + ": " + program.error().message, 0, 0};
    return std::make_shared<const Program>(program.take());
  }
  testing::Compilation c;
  DPL_RETURN_IF_ERROR(testing::LoadSources({path}, &c.sources));
  testing::Compile({}, &c);
  if (c.program == nullptr) {
    CommonArgs args;
    (void)Report(args, c);
    return Error{"path", path + ": the policy has errors", 0, 0};
  }
  return c.program;
}

void Count(Replayed replayed, bool other, Totals* totals) {
  ++totals->decisions;
  switch (replayed.kind) {
    case Replayed::Kind::kSkipped:
      --totals->decisions;
      return;
    case Replayed::Kind::kSame:
      ++totals->same;
      if (!replayed.grounds.empty()) {
        ++totals->other_grounds;
        std::string said;
        for (const std::string& one : replayed.grounds)
          said.append(said.empty() ? "" : "; ").append(one);
        Counted& counted = totals->grounds[said];
        if (counted.count++ == 0) {
          counted.first_id = replayed.id;
          counted.first_says = replayed.says;
        }
      }
      return;
    case Replayed::Kind::kCannotTell:
      ++totals->cannot_tell;
      for (const std::string& word : replayed.missing) ++totals->missing[word];
      return;
    case Replayed::Kind::kNotKept:
      ++totals->not_kept;
      ++totals->reasons_not_kept[replayed.why];
      return;
    case Replayed::Kind::kDamaged:
      ++totals->damaged;
      break;
    case Replayed::Kind::kChanged:
      ++totals->changed;
      if (other) {
        Counted& counted =
            totals->changes[{replayed.from, replayed.to, replayed.who, replayed.action}];
        if (counted.count++ == 0) {
          counted.first_id = replayed.id;
          counted.first_says = replayed.says;
        }
        return;
      }
      break;
  }
  if (totals->differing.size() < kMostShown) totals->differing.push_back(std::move(replayed));
}

std::string Json(const Totals& t, bool other) {
  std::string out;
  JsonWriter w(&out, 2);
  w.BeginObject().Key("decisions").Uint(t.decisions).Key("same").Uint(t.same);
  w.Key("changed").Uint(t.changed);
  if (other) w.Key("other_grounds").Uint(t.other_grounds);
  if (other) w.Key("cannot_tell").Uint(t.cannot_tell);
  w.Key("not_kept").Uint(t.not_kept).Key("damaged").Uint(t.damaged);
  w.Key("changes").BeginArray();
  for (const auto& [change, counted] : t.changes) {
    w.BeginObject().Member("from", change.from).Member("to", change.to);
    w.Member("who", change.who).Member("action", change.action);
    w.Key("count").Uint(counted.count).Member("first", counted.first_id);
    w.Member("says", counted.first_says).EndObject();
  }
  w.EndArray();
  if (other) {
    w.Key("grounds").BeginArray();
    for (const auto& [said, counted] : t.grounds) {
      w.BeginObject().Member("what", said).Key("count").Uint(counted.count);
      w.Member("first", counted.first_id).Member("says", counted.first_says).EndObject();
    }
    w.EndArray();
  }
  w.Key("differing").BeginArray();
  for (const Replayed& r : t.differing) {
    w.BeginObject().Member("id", r.id).Member("from", r.from).Member("to", r.to);
    w.Member("why", r.why).EndObject();
  }
  w.EndArray().Key("missing").BeginObject();
  for (const auto& [word, count] : t.missing) w.Key(word).Uint(count);
  w.EndObject().EndObject();
  return out + "\n";
}

void Line(std::string* out, std::string_view text) {
  AppendPrintable(out, text);
  out->push_back('\n');
}

std::string Text(const Totals& t, bool other) {
  std::string out;
  std::vector<std::pair<Change, Counted>> changes(t.changes.begin(), t.changes.end());
  std::stable_sort(changes.begin(), changes.end(),
                   [](const auto& a, const auto& b) { return a.second.count > b.second.count; });
  for (const auto& [change, counted] : changes) {
    Line(&out, std::to_string(counted.count) + " × " + change.from + " -> " + change.to + ": " +
                   change.who + ", " + change.action);
    Line(&out, "    first: " + counted.first_says + " (" + counted.first_id + ")");
  }
  for (const auto& [said, counted] : t.grounds) {
    Line(&out, std::to_string(counted.count) + " × as it was, on other grounds: " + said);
    Line(&out, "    first: " + counted.first_says + " (" + counted.first_id + ")");
  }
  for (const Replayed& r : t.differing)
    Line(&out, r.id + ": " + r.from + " -> " + r.to + ": " + r.why);
  for (const auto& [why, count] : t.reasons_not_kept)
    Line(&out, std::to_string(count) + " not run: " + why);
  for (const auto& [word, count] : t.missing) {
    Line(&out, std::to_string(count) + " cannot be told: the policy asks for " + word +
                   " that nothing asked for then");
  }
  out += std::to_string(t.decisions) + " decisions: " + std::to_string(t.same) +
         (other ? " stay as they were, " : " gave the same bytes, ") + std::to_string(t.changed) +
         (other ? " change" : " did not");
  if (t.other_grounds != 0)
    out += ", " + std::to_string(t.other_grounds) + " of the former on other grounds";
  if (other) out += ", " + std::to_string(t.cannot_tell) + " cannot be told";
  if (t.not_kept != 0) out += ", " + std::to_string(t.not_kept) + " were not kept";
  if (t.damaged != 0) out += ", " + std::to_string(t.damaged) + " are damaged";
  return out + "\n";
}

}  // namespace

int RunAuditReplay(const AuditArgs& args) {
  std::shared_ptr<const Program> other;
  if (!args.policy.empty()) {
    Result<std::shared_ptr<const Program>> program = PolicyOf(args.policy);
    if (!program.ok()) return UsageError(program.error());
    other = program.take();
  }
  Result<AuditRange> range = AuditRangeOf(args.from, args.to);
  if (!range.ok()) return UsageError(range.error());
  Result<std::unique_ptr<AuditVault>> vault =
      AuditVault::Open({.folder = args.folder, .start = {}, .read_only = true});
  if (!vault.ok()) return UsageError(vault.error());
  Result<std::unique_ptr<AuditReader>> reader = AuditReader::Open(args.folder, *range);
  if (!reader.ok()) return UsageError(reader.error());
  Replayer replayer(vault->get(), other);
  Totals totals;
  AuditRecord record;
  for (;;) {
    Result<bool> more = (*reader)->Next(&record);
    if (!more.ok()) {
      (void)UsageError(more.error());
      return kFindings;
    }
    if (!*more) break;
    Count(replayer.Run(record.record, record.sealed), other != nullptr, &totals);
  }
  Out(args.format == "json" ? Json(totals, other != nullptr) : Text(totals, other != nullptr));
  return totals.changed + totals.other_grounds + totals.damaged == 0 ? kOk : kFindings;
}

}  // namespace dpl::dplc
