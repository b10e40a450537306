// What a policy that takes over a state must not do: lose a revoked name, or look back too far.
#include "runtime/state/fits.h"

#include <gtest/gtest.h>

#include "tests/unit/decide/world.h"

namespace dpl {
namespace {

std::string Policy(std::string_view grant, std::string_view more = "") {
  return R"dpl(
package t owned by team staff
granted 2026-10-01
review every 180d
person { key id: string }
team staff { owner person "E1" }
system app { owner team staff }
resource Doc in app { can read }
agent helper {
  accountable person "E1"  purpose "Reads"  runs as spiffe "spiffe://x/h"  may read on app.Doc  lives at most 10h
}
partner globex { issuer "https://g.example"  may read on app.Doc  because "Papers"  expires 2026-12-31 }
grant )dpl" +
         std::string(grant) + R"dpl( { to team staff  may read on app.Doc  because "Staff read" }
)dpl" + std::string(more);
}
constexpr std::string_view kFacts =
    R"({"persons": [{"id": "E1"}], "teams": {"staff": ["E1"]}, "resources": []})";

std::string Refusal(const World& w, std::vector<std::string> dropped = {}) {
  Status fits = CheckFits(*w.snapshot, w.store, dropped);
  return fits.ok() ? "" : fits.error().code + ": " + fits.error().message;
}

TEST(ClosingRule, R36_ABundleKeepsTheRevokedNames) {
  World w(Policy("reading"), kFacts);
  EXPECT_EQ(Refusal(w), "");
  w.store.Revoke(RevokedKind::kPerson, "E9", std::nullopt);  // no statement
  w.store.Revoke(RevokedKind::kGrant, "t.reading", std::nullopt);
  EXPECT_EQ(Refusal(w), "") << "it is still there, and still revoked";
  w.Policy(Policy("reading_again"));
  EXPECT_NE(Refusal(w).find("state.revoked: grant t.reading is revoked"), std::string::npos)
      << Refusal(w);
  EXPECT_EQ(Refusal(w, {"t.reading"}), "");
  EXPECT_NE(Refusal(w, {"t.other"}), "");
  w.Policy(Policy("reading"));
  EXPECT_EQ(Refusal(w), "");
}

TEST(ClosingRule, R36_HoldsForEveryKindOfStatement) {
  for (auto [kind, name] : std::vector<std::pair<RevokedKind, std::string>>{
           {RevokedKind::kAgent, "t.gone"},
           {RevokedKind::kGrant, "t.gone"},
           {RevokedKind::kGrant, "t.helper"},  // of that name, but an agent
           {RevokedKind::kDelegation, "t.gone"},
           {RevokedKind::kBreakGlass, "t.gone"},
           {RevokedKind::kApproval, "t.gone"},
           {RevokedKind::kPartner, "t.gone/ana"}}) {
    World w(Policy("reading"), kFacts);
    w.store.Revoke(kind, name, w.now);
    EXPECT_NE(Refusal(w).find("state.revoked"), std::string::npos) << name;
  }
  World w(Policy("reading"), kFacts);
  w.store.Revoke(RevokedKind::kPartner, "t.globex/ana", std::nullopt);
  w.store.Revoke(RevokedKind::kApproval, "approval-7", std::nullopt);
  w.store.Revoke(RevokedKind::kInstance, "t.gone/i1", std::nullopt);  // never seen
  w.store.Revoke(RevokedKind::kAgent, "", w.now);
  EXPECT_EQ(Refusal(w), "");
}

TEST(Fits, AWindowLongerThanTheHistoryIsRefused) {
  World w(
      Policy("reading",
             "limit few { covers read on app.Doc  cap requests to 3 in any 31d for each person  "
             "because \"Few\" }"),
      kFacts);
  EXPECT_EQ(Refusal(w), "");
  MemoryStore::Options options;
  options.history_us = 31 * kMicrosPerDay;
  EXPECT_TRUE(CheckFits(*w.snapshot, MemoryStore(options), {}).ok());
  --options.history_us;
  Status fits = CheckFits(*w.snapshot, MemoryStore(options), {});
  ASSERT_FALSE(fits.ok());
  EXPECT_EQ(fits.error().code, "state.window");
  EXPECT_EQ(fits.error().message, "limit t.few.requests looks back 31d, and the store keeps 31d");
}

}  // namespace
}  // namespace dpl
