// Parsing again after a change: only what changed, and the outcome is that of a fresh start.
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "compiler/diag/render.h"
#include "compiler/testing/compile.h"

namespace dpl::testing {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

Files SomeFiles() {
  Files files{
      {"base.dpl",
       "package a.base owned by team t\ngranted 2026-10-01\nreview every 90d\nteam t { owner "
       "person \"E1\" }\nrole r\nsystem s { owner team t }\nresource Doc in s { can read }\n"}};
  for (int i = 0; i < 9; ++i) {
    std::string n = std::to_string(i);
    files.emplace_back("p" + n + ".dpl",
                       "package a.p" + n +
                           " owned by team t\ngranted 2026-10-01\nreview every 90d\nimport a.base\n"
                           "grant g { to role r may read on s.Doc because \"Readers read\" }\n");
  }
  return files;
}

std::unique_ptr<Compilation> Parsed(const Files& files, Compilation* last) {
  auto c = std::make_unique<Compilation>();
  c->keep_bundle = true;
  for (const auto& [path, text] : files) c->sources.Add(path, text);
  ParseSources(c.get(), last);
  return c;
}

// Compiling `c` gives what compiling the files from the beginning gives.
void ExpectAsFresh(const Files& files, Compilation* c) {
  std::unique_ptr<Compilation> fresh = Parsed(files, nullptr);
  EXPECT_EQ(fresh->parsed, files.size());
  bool ok = Compile({}, fresh.get());
  EXPECT_EQ(Compile({}, c), ok);
  EXPECT_EQ(RenderText(c->sources, c->sink.Sorted(), {}),
            RenderText(fresh->sources, fresh->sink.Sorted(), {}));
  EXPECT_EQ(c->bundle, fresh->bundle);
}

TEST(Reparse, NothingWhenNothingChanged) {
  Files files = SomeFiles();
  std::unique_ptr<Compilation> first = Parsed(files, nullptr);
  std::unique_ptr<Compilation> second = Parsed(files, first.get());
  EXPECT_EQ(second->parsed, 0u);
  ExpectAsFresh(files, second.get());
}

TEST(Reparse, OneFileAfterAnEditOfIt) {
  Files files = SomeFiles();
  std::unique_ptr<Compilation> first = Parsed(files, nullptr);
  files[4].second += "grant h { to role r may read on s.Doc because \"Readers read\" }\n";
  std::unique_ptr<Compilation> second = Parsed(files, first.get());
  EXPECT_EQ(second->parsed, 1u);
  ExpectAsFresh(files, second.get());
}

TEST(Reparse, MistakesOfFilesThatDidNotChangeAreToldAgain) {
  Files files = SomeFiles();
  files[2].second += "grant broken { to role r may on }\n";
  std::unique_ptr<Compilation> first = Parsed(files, nullptr);
  files[7].second += "grant lost { to role nobody may read on s.Doc because \"Readers read\" }\n";
  std::unique_ptr<Compilation> second = Parsed(files, first.get());
  EXPECT_EQ(second->parsed, 1u);
  EXPECT_EQ(second->sink.errors(), 1u);
  ExpectAsFresh(files, second.get());
}

// Spans carry the number of their file: what has moved is read anew.
TEST(Reparse, FilesThatMovedAreParsed) {
  Files files = SomeFiles();
  std::unique_ptr<Compilation> first = Parsed(files, nullptr);
  files.erase(files.begin() + 5);
  std::unique_ptr<Compilation> second = Parsed(files, first.get());
  EXPECT_EQ(second->parsed, files.size() - 5);
  ExpectAsFresh(files, second.get());
}

}  // namespace
}  // namespace dpl::testing
