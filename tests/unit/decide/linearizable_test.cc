// Revocation is linearizable: a decision that begins after a revocation was acknowledged never
// permits what was revoked, however many decide at once. DPL_DECISIONS says how many decisions.
#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

constexpr std::string_view kPolicy = R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string }
team staff { owner person "E1" }
system app { owner team staff }
resource Doc in app { can read  can pay { amount: money must be limited } }
grant working {
  to team staff  may read on app.Doc  may pay on app.Doc
  limit amount to 900_000_000 USD in total for each person
  because "Staff work"
}
agent helper {
  accountable person "E1"  purpose "Works"  runs as spiffe "spiffe://x/h"  may read, pay on app.Doc  lives at most 10h
}
delegation help { from team staff  to agent helper  may read, pay on app.Doc  consent by policy  because "Helped" }
)dpl";

constexpr int kPersons = 500, kThreads = 3;

std::string Facts() {
  std::string persons = R"({"id": "E1"})", staff = "\"E1\"";
  for (int i = 0; i < kPersons; ++i) {
    std::string id = "\"P" + std::to_string(i) + "\"";
    persons += ", {\"id\": " + id + "}";
    staff += ", " + id;
  }
  return "{\"persons\": [" + persons + "], \"teams\": {\"staff\": [" + staff +
         "]}, \"resources\": [{\"type\": \"app.Doc\", \"id\": \"d\"}]}";
}

// `kind` is what is revoked, one after the other: the persons, or the runs of an agent.
void Race(RevokedKind kind, int decisions) {
  World w(kPolicy, Facts());
  std::vector<std::atomic<bool>> told(kPersons);
  std::atomic<int> cursor{0}, done{0}, late{0}, permits{0}, refused{0}, other{0};
  auto name = [](int i) { return std::to_string(i); };
  auto decide = [&](unsigned seed) {
    Scratch scratch;
    Arena arena;
    const int share = decisions / kThreads;
    for (int n = 0; n < share; ++n, ++done) {
      arena.Reset();
      seed = seed * 1664525u + 1013904223u;
      int i = cursor.load(std::memory_order_relaxed) + static_cast<int>(seed >> 28) - 6;
      i = std::min(std::max(i, 0), kPersons - 1);
      Ask ask = Ask().Person("P" + name(i)).SignedIn(w.now);
      if (kind == RevokedKind::kInstance) ask.Agent("helper", "run" + name(i));
      if ((seed >> 20 & 1) != 0) {
        ask.Does("pay", "app.Doc", "d").With(R"({"amount": "1.00 USD"})");
      } else {
        ask.Does("read", "app.Doc", "d");
      }
      const bool before = told[static_cast<size_t>(i)].load(std::memory_order_seq_cst);
      const Decision& d = w.Decide(ask, &scratch, &arena);
      if (d.outcome == OutcomeKind::kPermit) {
        ++permits;
        if (before) ++late;
      } else if (d.reason == Reason::kRevokedPerson || d.reason == Reason::kRevokedInstance) {
        ++refused;
      } else if (d.reason != Reason::kErrorContention) {
        ++other;
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) threads.emplace_back(decide, t + 1);
  // Spread over the whole run.
  for (int i = 0; i < kPersons; ++i) {
    while (done.load() < static_cast<int>(int64_t{decisions} / kThreads * kThreads * i / kPersons))
      std::this_thread::yield();
    cursor = i;
    std::string revoked = kind == RevokedKind::kPerson ? "P" + name(i) : "t.helper/run" + name(i);
    w.store.Revoke(kind, revoked, std::nullopt);
    told[static_cast<size_t>(i)].store(true, std::memory_order_seq_cst);
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(late, 0);
  EXPECT_EQ(other, 0);
  EXPECT_GT(permits, decisions / 10) << "most were not revoked yet";
  EXPECT_GT(refused, decisions / 10) << "and many were";
}

int Decisions() {
  const char* text = std::getenv("DPL_DECISIONS");
  return text == nullptr ? 30'000 : std::atoi(text);
}

TEST(Linearizable, NoPermitAfterARevocationOfAPersonWasTold) {
  Race(RevokedKind::kPerson, Decisions());
}
TEST(Linearizable, NoPermitAfterARevocationOfARunWasTold) {
  Race(RevokedKind::kInstance, Decisions());
}

}  // namespace
}  // namespace dpl
