// The catalogue of reasons: unique codes, readable back, and the page docs/reasons.md says the
// same.
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "runtime/decide/decision.h"

namespace dpl {
namespace {

constexpr Reason kAll[] = {
#define DPL_REASON(name, code, step, user, meaning) Reason::k##name,
#include "runtime/decide/reasons.def"
#undef DPL_REASON
};

TEST(Reasons, CodesAreUniqueAndReadBack) {
  std::set<std::string> codes;
  for (Reason r : kAll) {
    EXPECT_TRUE(codes.insert(std::string(ReasonCode(r))).second) << ReasonCode(r);
    Reason back = Reason::kErrorInternal;
    ASSERT_TRUE(FindReason(ReasonCode(r), &back));
    EXPECT_EQ(back, r);
    EXPECT_FALSE(ReasonUserText(r).empty());
    EXPECT_FALSE(ReasonMeaning(r).empty());
    EXPECT_GE(ReasonStep(r), 0);
    EXPECT_LE(ReasonStep(r), 15);
  }
  Reason none;
  EXPECT_FALSE(FindReason("no.such_reason", &none));
  EXPECT_FALSE(FindReason("", &none));
}

// What the person is told names no policy, no statement and no other person.
TEST(Reasons, UserTextsAreWholeSentences) {
  for (Reason r : kAll) {
    std::string_view text = ReasonUserText(r);
    EXPECT_EQ(text.back(), '.') << ReasonCode(r);
    for (const char* word : {"grant", "forbid", "policy", "clause"})
      EXPECT_EQ(text.find(word), std::string_view::npos) << ReasonCode(r);
  }
}

std::string Table() {
  std::string out = "| code | step | the user is told | meaning |\n| --- | --- | --- | --- |\n";
  for (Reason r : kAll) {
    std::string step = ReasonStep(r) == 0 ? "any" : std::to_string(ReasonStep(r));
    out += "| `" + std::string(ReasonCode(r)) + "` | " + step + " | " +
           std::string(ReasonUserText(r)) + " | " + std::string(ReasonMeaning(r)) + " |\n";
  }
  return out;
}

TEST(Reasons, ThePageHoldsTheTable) {
  std::ifstream in(std::string(DPL_SOURCE_DIR) + "/docs/reasons.md");
  std::stringstream page;
  page << in.rdbuf();
  EXPECT_NE(page.str().find(Table()), std::string::npos)
      << "docs/reasons.md should hold this table:\n"
      << Table();
}

}  // namespace
}  // namespace dpl
