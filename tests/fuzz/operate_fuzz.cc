// Fuzzes the operating API: calls one after the other, each `METHOD /path?query` and a body behind
// it, parted by an empty line. Every answer is one JSON value that says what it is; a call that is
// refused, and one that only reads, changes nothing.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "runtime/base/clock.h"
#include "runtime/facts/changes.h"
#include "runtime/json/json.h"
#include "runtime/state/memory_store.h"
#include "server/operate/facts_feed.h"
#include "server/operate/operate_service.h"
#include "tests/fuzz/world.h"

namespace dpl {
namespace {

// Reads what is pushed, and keeps nothing of it.
class Feed final : public FactsFeed {
 public:
  explicit Feed(std::shared_ptr<const Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}
  FactsInForce Look() override {
    return {
        std::string(snapshot_->facts_version()), snapshot_->as_of(), false, "facts.json", 0, 0, {}};
  }
  Result<FactsInForce> Replace(std::string_view text, std::string_view expected) override {
    Result<FactsInput> facts = ReadFactsJson(text, "pushed");
    if (!facts.ok()) return facts.error();
    return Check(expected);
  }
  Result<FactsInForce> Change(std::string_view text, std::string_view expected) override {
    Arena arena;
    Result<const WireValue*> root = ParseJson(text, &arena);
    if (!root.ok()) return root.error();
    Result<FactsChanges> changes = ReadFactsChanges(**root);
    if (!changes.ok()) return changes.error();
    return Check(expected);
  }

 private:
  Result<FactsInForce> Check(std::string_view expected) {
    if (!expected.empty() && expected != snapshot_->facts_version())
      return Error{"facts.moved", "other facts are in force"};
    return Look();
  }
  const std::shared_ptr<const Snapshot> snapshot_;
};

std::vector<std::string> RecordsOf(const MemoryStore& store) {
  std::vector<std::string> records;
  store.Save(1, [&](std::string_view piece) { records.emplace_back(piece); });
  std::sort(records.begin() + 1, records.end());
  return records;
}

void CheckAnswer(const HttpResponse& response) {
  if (response.status == 204) return DPL_CHECK(response.body.empty());
  Arena arena;
  JsonLimits limits;
  limits.max_bytes = limits.max_string = 4 << 20;
  Result<const WireValue*> root = ParseJson(response.body, &arena, limits);
  DPL_CHECK(root.ok() && (*root)->is_object());
  if (response.status < 300) return DPL_CHECK(response.content_type == "application/json");
  const WireValue* status = (*root)->Find("status");
  DPL_CHECK(response.content_type == kProblemType && status != nullptr &&
            status->text == std::to_string(response.status));
  DPL_CHECK((*root)->Find("detail") != nullptr && (*root)->Find("type") != nullptr);
}

void Run(std::string_view input) {
  static const std::shared_ptr<const Snapshot> snapshot = [] {
    fuzz::World world;
    return std::shared_ptr<const Snapshot>(std::move(world.snapshot));
  }();
  FakeClock clock(InstantAt(*ParseDate("2026-11-20")));
  MemoryStore store;
  Feed feed(snapshot);
  Service service({.clock = &clock, .store = &store, .version = "fuzz"});
  service.Publish(snapshot, std::make_shared<CallerRegistry>());
  OperateService operate(
      {.service = &service, .store = &store, .clock = &clock, .version = "fuzz", .facts = &feed});
  for (int calls = 0; !input.empty() && calls < 16; ++calls) {
    const size_t end = input.find("\n\n");
    const std::string_view call = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 2);
    const size_t line_end = std::min(call.find('\n'), call.size());
    const std::string_view line = call.substr(0, line_end);
    const size_t blank = line.find(' ');
    if (blank == std::string_view::npos || line.substr(blank + 1, 1) != "/") continue;
    const std::string_view target = line.substr(blank + 1);
    const size_t question = target.find('?');
    HttpRequest request;
    request.unix_socket = true;
    request.peer_uid = static_cast<int64_t>(geteuid());
    request.method = line.substr(0, blank);
    request.path = target.substr(0, question);
    if (question != std::string_view::npos) request.query = target.substr(question + 1);
    if (line_end < call.size()) request.body = call.substr(line_end + 1);
    request.headers = {{"Content-Type", "application/json"}, {"X-Request-ID", "r-1"}};
    const std::vector<std::string> before = RecordsOf(store);
    HttpResponse response;
    response.SetErrorForm(ErrorForm::kProblem);
    operate.Handle(request, &response);
    DPL_CHECK(response.status >= 200 && response.status != 500);
    CheckAnswer(response);
    if (response.status >= 300 || request.method == "GET") DPL_CHECK(RecordsOf(store) == before);
    clock.Advance(Duration{1'000'000});
  }
}

}  // namespace
}  // namespace dpl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dpl::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
