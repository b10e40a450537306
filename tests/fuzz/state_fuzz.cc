// Fuzzes what reads a state folder: the operations of a group of the log, the records of an image,
// and the files as a crash or somebody else left them. Wrong bytes are an error or a loss that is
// told, never a crash; a state that was read is written to an image that gives the same state.
//
// The first byte of an input says what the rest is.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/state/memory_store.h"
#include "runtime/state/operations.h"
#include "runtime/state/recovery.h"
#include "runtime/state/state_file.h"
#include "tests/support/temporary_folder.h"

namespace dpl {
namespace {

// Its records; their order says nothing.
std::vector<std::string> RecordsOf(const MemoryStore& store) {
  std::vector<std::string> records;
  store.Save(1, [&](std::string_view piece) { records.emplace_back(piece); });
  std::sort(records.begin() + 1, records.end());
  return records;
}

void Reopen(const MemoryStore& store) {
  MemoryStore again;
  store.Save(64, [&](std::string_view piece) { DPL_CHECK(again.Load(piece)); });
  again.LoadDone();
  DPL_CHECK(again.Epoch() == store.Epoch() && again.HighTime() == store.HighTime());
  // What was over by then has been swept, so it is the second image that stands.
  MemoryStore third;
  again.Save(64, [&](std::string_view piece) { DPL_CHECK(third.Load(piece)); });
  third.LoadDone();
  DPL_CHECK(RecordsOf(third) == RecordsOf(again));
}

void List(const MemoryStore& store) {
  (void)store.ListRevocations({});
  (void)store.ListConsents({});
  (void)store.ListTasks({});
  (void)store.ListHandoffs({});
  (void)store.ListInstances({}, {});
  (void)store.ListApprovals({});
  (void)store.ListAccessRequests({});
  (void)store.ListOpenings({});
  (void)store.ListReservations({});
  (void)store.ListCounters({}, store.HighTime());
}

void TryGroup(std::string_view group) {
  MemoryStore store, second, salvaged;
  Result<uint64_t> done = ReplayGroup(group, &store, ReplayMode::kExact);
  Result<uint64_t> again = ReplayGroup(group, &second, ReplayMode::kExact);
  DPL_CHECK(done.ok() == again.ok());
  DPL_CHECK(done.ok() || done.error().code == "state.corrupt");
  DPL_CHECK(RecordsOf(store) == RecordsOf(second));
  Result<uint64_t> saved = ReplayGroup(group, &salvaged, ReplayMode::kSalvage);
  DPL_CHECK(saved.ok() || !done.ok());
  DPL_CHECK(salvaged.Epoch() >= store.Epoch());
  for (MemoryStore* s : {&store, &salvaged}) {
    List(*s);
    Reopen(*s);
  }
}

void TryImage(std::string_view piece) {
  MemoryStore store;
  if (!store.Load(piece)) return;
  store.LoadDone();
  List(store);
  Reopen(store);
}

void TryFolder(StateFileKind kind, std::string_view bytes) {
  static const TemporaryFolder folder;
  const std::string path = folder.path() + "/" + StateFileName(kind, 1);
  std::ofstream(path, std::ios::binary) << bytes;
  for (const bool salvage : {false, true}) {
    MemoryStore store;
    RecoveryReport report;
    Status read = RecoverState(folder.path(), {.salvage = salvage}, &store, &report);
    if (!read.ok())
      DPL_CHECK(read.error().code == "state.corrupt" || read.error().code == "state.version");
    if (read.ok()) {
      DPL_CHECK(salvage || report.lost.empty());
      DPL_CHECK(report.tail_end <= std::max(bytes.size(), kStateHeader));
      List(store);
    }
  }
  std::filesystem::remove(path);
}

void Run(std::string_view input) {
  if (input.empty()) return;
  const char what = input.front();
  input.remove_prefix(1);
  switch (what) {
    case 'g':
      return TryGroup(input);
    case 'i':
      return TryImage(input);
    case 'l':
      return TryFolder(StateFileKind::kLog, input);
    case 'm':
      return TryFolder(StateFileKind::kImage, input);
    default:
      return;
  }
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
