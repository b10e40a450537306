// A bound of the state that is reached is told, with its kind.
#include <string>

#include <gtest/gtest.h>

#include "runtime/state/memory_store.h"
#include "server/api/service.h"

namespace dpl {
namespace {

std::string Get(Service* service, const std::string& path) {
  HttpRequest request;
  request.method = "GET";
  request.path = path;
  HttpResponse response;
  service->Handle(request, &response);
  EXPECT_EQ(response.status, 200);
  return response.body;
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(StateFull, HealthAndMetricsNameTheKind) {
  auto program = std::make_shared<Program>();
  program->schema.strings.emplace_back();
  Result<std::unique_ptr<Snapshot>> snapshot = Snapshot::Build(program, FactsInput(), Instant{});
  ASSERT_TRUE(snapshot.ok());
  SystemClock clock;
  MemoryStore::Options options;
  options.max_tasks = 2;
  MemoryStore store(options);
  Service service({.clock = &clock, .store = &store, .version = "1"});
  service.Publish(snapshot.take(), std::make_shared<CallerRegistry>());
  for (const char* id : {"a", "b"}) {
    EXPECT_TRUE(Has(Get(&service, "/healthz"), R"("health":"LOADED")"));
    TaskRecord task;
    task.id = id;
    task.expires = kMaxInstant;
    ASSERT_TRUE(store.OpenTask(task).ok());
  }
  const std::string health = Get(&service, "/healthz");
  EXPECT_TRUE(Has(health, R"("health":"ERROR","because":["state_full"])")) << health;
  EXPECT_TRUE(Has(health, R"("full":["tasks"])")) << health;
  const std::string metrics = Get(&service, "/metrics");
  EXPECT_TRUE(Has(metrics, "\ndpl_state_entries{kind=\"tasks\"} 2\n")) << metrics;
  EXPECT_TRUE(Has(metrics, "\ndpl_state_entries_max{kind=\"tasks\"} 2\n"));
  EXPECT_TRUE(Has(metrics, "\ndpl_state_entries{kind=\"reservations\"} 0\n"));
  EXPECT_TRUE(Has(metrics, "\ndpl_health{state=\"ERROR\"} 1\n"));
}

}  // namespace
}  // namespace dpl
