// Policies as text, compiled for the tests of this room.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compiler/diag/render.h"
#include "compiler/testing/compile.h"
#include "compiler/testing/run.h"

namespace dpl::testing {

inline std::unique_ptr<Compilation> CompileFiles(
    const std::vector<std::pair<std::string, std::string>>& files) {
  auto c = std::make_unique<Compilation>();
  for (const auto& [path, text] : files) c->sources.Add(path, text);
  if (!Compile({}, c.get()))
    ADD_FAILURE() << RenderText(c->sources, c->sink.Sorted(), {.excerpts = false});
  return c;
}
inline std::unique_ptr<Compilation> CompileText(const std::string& text) {
  return CompileFiles({{"policy.dpl", text}});
}

// Names, a type with a metered action, and an agent to lend to.
inline const std::string kBase = R"(package acme.shop owned by team finance
granted 2026-10-01
review every 180d
enum Region { emea, amer }
person { key id: string  has region: Region }
team finance { owner person "E1" }
role buyer { owner team finance }
system shop { owner team finance }
resource Order in shop {
  has region: Region
  has locked: bool
  can read, update
  can approve { amount: money must be limited }
}
)";

inline TestRun RunAll(const Compilation& c) {
  SystemClock clock;
  return RunTests(c.program, c.tests, c.test_packages, c.sources, {}, &clock);
}

}  // namespace dpl::testing
