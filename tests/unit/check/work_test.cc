// How much the checker compares: work follows what could conflict, not the number of pairs.
// Counted, not timed.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compiler/check/check.h"
#include "compiler/diag/render.h"
#include "compiler/syntax/parse.h"

namespace dpl::check {
namespace {

constexpr const char* kHead = R"(package acme.pay owned by team finance
granted 2026-10-01
review every 90d
person { key id: string has department: string }
team finance { owner person "E1" }
role clerk { owner team finance }
system erp { owner team finance }
activity spend { owner team finance measure amount: money must be limited limits must agree within department }
resource Order in erp { key id: string matches "[0-9]+" has department: string has vendor: string can approve is spend }
)";

// `count` grants; `@` in the condition and the cap becomes the grant's number.
std::string Grants(int count, const std::string& on, const std::string& cap) {
  std::string text = kHead;
  for (int i = 0; i < count; ++i) {
    std::string grant = "grant g" + std::to_string(i) + " { to role clerk may approve on " + on +
                        " limit amount to " + cap +
                        " USD each because \"Clerks settle orders\" }\n";
    for (size_t at = grant.find('@'); at != std::string::npos; at = grant.find('@'))
      grant.replace(at, 1, std::to_string(i + 1));
    text += grant;
  }
  return text;
}

// What is reported when at most `comparisons` pairs of limits may be compared.
std::vector<Diagnostic> Found(const std::string& text, size_t comparisons) {
  SourceSet sources;
  DiagnosticSink sink;
  std::vector<std::unique_ptr<ast::File>> files;
  files.push_back(Parse(sources.Add("pay.dpl", text), &sink).file);
  CheckOptions options;
  options.most_comparisons = comparisons;
  Model model;
  Check(files, sources, options, &sink, &model);
  return sink.Sorted();
}

TEST(Work, GrantsAboutDifferentConstantsAreNotCompared) {
  EXPECT_TRUE(Found(Grants(200, "erp.Order where resource.department == \"d@\"", "@"), 0).empty());
  EXPECT_TRUE(Found(Grants(200, "erp.Order where resource.vendor == \"v@\"", "@"), 0).empty());
  EXPECT_TRUE(Found(Grants(200, "erp.Order \"@\"", "@"), 0).empty());
}

TEST(Work, EqualLimitsAreNotCompared) {
  EXPECT_TRUE(Found(Grants(200, "erp.Order", "5_000"), 0).empty());
}

TEST(Work, AContradictionTakesOneComparisonPerLimit) {
  // Each grant after the first is told about the first; nothing further is looked at. The first one
  // looks at all.
  std::vector<Diagnostic> found = Found(Grants(100, "erp.Order", "@"), 4 * 100);
  ASSERT_EQ(found.size(), 99u);
  for (const Diagnostic& d : found) {
    EXPECT_EQ(d.code, DPL0501);
    EXPECT_NE(d.message.find("`1 USD`"), std::string::npos) << d.message;
  }
}

TEST(Work, TheBoundIsSaidWhenReached) {
  std::vector<Diagnostic> found = Found(Grants(100, "erp.Order", "@"), 150);
  size_t gave_up = 0, conflicts = 0;
  for (const Diagnostic& d : found) {
    gave_up += d.code == DPL0904 ? 1 : 0;
    conflicts += d.code == DPL0501 ? 1 : 0;
  }
  EXPECT_EQ(gave_up, 1u);
  EXPECT_GT(conflicts, 0u);  // what was found until then is reported
  EXPECT_LT(conflicts, 99u);
}

TEST(Work, SupersedingInALongChainIsNoCycleAndACycleIsFound) {
  std::string text = kHead;
  for (int i = 0; i < 300; ++i) {
    std::string n = std::to_string(i);
    text += "grant g" + n +
            " { to role clerk may approve on erp.Order limit amount to 5 USD each " +
            (i == 0 ? "" : "supersedes grant g" + std::to_string(i - 1)) +
            " because \"Clerks settle orders\" }\n";
  }
  EXPECT_TRUE(Found(text, 0).empty());
  size_t at = text.find("5 USD each ");
  text.insert(at + 11, "supersedes grant g299 ");
  std::vector<Diagnostic> found = Found(text, 0);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].code, DPL0511);
}

}  // namespace
}  // namespace dpl::check
