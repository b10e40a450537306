// Compiling with several threads gives what compiling with one gives: the same diagnostics in the
// same order, the same bytes.
#include <string>

#include <gtest/gtest.h>

#include "compiler/diag/render.h"
#include "compiler/testing/compile.h"

namespace dpl::testing {
namespace {

// `packages` files; every `wrong_each`-th has a mistake of grammar and one of meaning (0: none
// has).
void AddSources(size_t packages, size_t wrong_each, SourceSet* sources) {
  sources->Add("base.dpl", R"(package acme.base owned by team ops
granted 2026-10-01
review every 90d
person { key id: string  has region: string }
team ops { owner person "E1" }
system app { owner team ops }
resource Doc in app { has region: string  can read, update }
)");
  for (size_t i = 0; i < packages; ++i) {
    std::string n = std::to_string(i);
    std::string text = "package acme.p" + n + " owned by team t" + n +
                       "\nimport acme.base\ngranted 2026-10-01\nreview every 90d\n"
                       "team t" +
                       n + " { owner person \"E" + n + "\" }\nrole r" + n + "\nsystem s" + n +
                       " { owner team t" + n + " }\nresource File in s" + n +
                       " { has region: string  can read }\n";
    for (int g = 0; g < 20; ++g) {
      text += "/// Grant " + std::to_string(g) + "\ngrant g" + std::to_string(g) + " { to role r" +
              n + " may read on s" + n +
              ".File where resource.region == person.region or "
              "resource.region == \"x" +
              std::to_string(g) + "\" because \"Reads its region\" }\n";
    }
    if (wrong_each != 0 && i % wrong_each == 0) {
      text += "grant broken { to role r" + n + " may read on because \"Oops\" }\n" +
              "grant lost { to role nobody" + n + " may read on s" + n +
              ".File because \"Reads files\" }\n";
    }
    sources->Add("p" + n + ".dpl", text);
  }
}

struct Outcome {
  bool ok = false;
  std::string report, bundle;
  size_t errors = 0, dropped = 0;
};

Outcome CompileWith(unsigned jobs, size_t packages, size_t wrong_each) {
  Compilation c;
  c.jobs = jobs;
  c.keep_bundle = true;
  AddSources(packages, wrong_each, &c.sources);
  Outcome out;
  out.ok = Compile({}, &c);
  out.report = RenderText(c.sources, c.sink.Sorted(), {});
  out.bundle = c.bundle;
  out.errors = c.sink.errors();
  out.dropped = c.sink.dropped();
  return out;
}

TEST(Parallel, SameBundle) {
  Outcome one = CompileWith(1, 60, 0);
  ASSERT_TRUE(one.ok) << one.report;
  ASSERT_FALSE(one.bundle.empty());
  for (unsigned jobs : {2u, 3u, 8u}) {
    Outcome many = CompileWith(jobs, 60, 0);
    EXPECT_TRUE(many.ok);
    EXPECT_EQ(many.bundle, one.bundle) << jobs;
  }
}

TEST(Parallel, SameDiagnosticsInTheSameOrder) {
  Outcome one = CompileWith(1, 60, 3);
  EXPECT_FALSE(one.ok);
  EXPECT_GE(one.errors, 40u);
  for (unsigned jobs : {2u, 3u, 8u}) EXPECT_EQ(CompileWith(jobs, 60, 3).report, one.report) << jobs;
}

// Beyond the cap of a report the same ones are left out.
TEST(Parallel, SameDiagnosticsBeyondTheCap) {
  Outcome one = CompileWith(1, 700, 1);
  EXPECT_GT(one.dropped, 0u);
  Outcome many = CompileWith(4, 700, 1);
  EXPECT_EQ(many.report, one.report);
  EXPECT_EQ(many.dropped, one.dropped);
}

TEST(Parallel, PhasesAreTimedWhenAskedFor) {
  Compilation c;
  PhaseTimes times;
  c.times = &times;
  c.jobs = 2;
  AddSources(4, 0, &c.sources);
  ASSERT_TRUE(Compile({}, &c));
  std::vector<std::string> names;
  for (const PhaseTimes::Phase& phase : times.phases()) names.push_back(phase.name);
  EXPECT_EQ(names.front(), "parse");
  EXPECT_EQ(names.back(), "verify");
  EXPECT_NE(times.Table().find("  grammar"), std::string::npos);
}

}  // namespace
}  // namespace dpl::testing
