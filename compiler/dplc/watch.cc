// dplc test --watch: runs the tests, waits until a file changes, and runs those again that the
// change can concern. Ends on Ctrl-C.
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "compiler/dplc/test_report.h"
#include "compiler/dplc/watcher.h"
#include "compiler/testing/affected.h"
#include "compiler/testing/run.h"

namespace dpl::dplc {
namespace {

std::string Listed(const std::vector<std::string>& items) {
  std::string out;
  for (size_t i = 0; i < items.size() && i < 5; ++i) out += (i == 0 ? "" : ", ") + items[i];
  return items.size() > 5 ? out + " and " + std::to_string(items.size() - 5) + " more" : out;
}

std::string KeyOf(const testing::TestResult& r) { return r.package + ": " + r.name; }

class Session {
 public:
  Session(const TestArgs& args, Watcher* watcher) : args_(args), watcher_(*watcher) {}

  // One round; false when the paths cannot be read at all.
  bool Round() {
    auto c = std::make_unique<testing::Compilation>();
    // Before reading: nothing that changes meanwhile is missed.
    watcher_.AddPolicies(args_.common.paths, c->sources);
    if (Status s = testing::LoadSources(args_.common.paths, &c->sources); !s.ok()) {
      UsageError(s.error());
      return false;
    }
    testing::Compile({}, c.get());
    watcher_.AddPolicies(args_.common.paths, c->sources);
    if (last_ != nullptr && testing::ChangedFiles(last_->sources, c->sources).empty()) return true;
    if (last_ != nullptr)
      Out("\nchanged: " + Listed(testing::ChangedFiles(last_->sources, c->sources)) + "\n");
    CommonArgs diagnostics = args_.common;
    diagnostics.format = "text";
    diagnostics.quiet = true;
    Report(diagnostics, *c);
    // What compiled last is what the next change is compared with, however many attempts lie
    // between.
    if (c->program != nullptr) {
      Run(*c);
      compiled_ = std::move(c);
      broken_.reset();
      last_ = compiled_.get();
    } else {
      ok_ = false;
      broken_ = std::move(c);
      last_ = broken_.get();
    }
    Out("watching " + std::to_string(last_->sources.size()) +
        (last_->sources.size() == 1 ? " file" : " files") + "; Ctrl-C ends\n");
    std::fflush(stdout);
    return true;
  }
  bool ok() const { return ok_; }

 private:
  void Run(const testing::Compilation& c) {
    testing::TestOptions options;
    options.filter = args_.filter;
    options.fail_fast = args_.fail_fast;
    testing::Affected affected;
    std::set<std::string> retry = std::move(failed_);  // what failed is run again in any case
    failed_.clear();
    bool first = compiled_ == nullptr;
    if (!first) {
      affected = testing::AffectedTests(*compiled_, c);
      Out("packages " + Listed(affected.packages) + ": " + std::to_string(affected.count) + " of " +
          std::to_string(c.tests.size()) + " tests can be concerned\n");
    }
    options.wanted = [&](size_t t) {
      if (watcher_.Stopped()) return false;
      return first || affected.tests[t] || retry.contains(TitleOf(c, t));
    };
    bool color = UseColor(args_.common.color, 1);
    int64_t total = 0;
    options.on_result = [&](const testing::TestResult& r) {
      total += r.duration_us;
      if (!r.passed) failed_.insert(KeyOf(r).substr(0, KeyOf(r).rfind(" [row ")));
      PrintResult(c, r, color, args_.common.quiet);
      std::fflush(stdout);
    };
    SystemClock clock;
    testing::TestRun run =
        testing::RunTests(c.program, c.tests, c.test_packages, c.sources, options, &clock);
    Out(std::to_string(run.passed) + " passed, " + std::to_string(run.failed) + " failed (" +
        Millis(total) + ")\n");
    ok_ = run.failed == 0;
  }
  static std::string TitleOf(const testing::Compilation& c, size_t t) {
    return std::string(c.program->Text(c.program->schema.packages[c.test_packages[t]].name)) +
           ": " + c.tests[t]->title.value;
  }

  const TestArgs& args_;
  Watcher& watcher_;
  std::unique_ptr<testing::Compilation> compiled_, broken_;
  testing::Compilation* last_ = nullptr;  // one of the two: the newest
  std::set<std::string> failed_;
  bool ok_ = true;
};

}  // namespace

int RunWatch(const TestArgs& args) {
  Watcher watcher;
  Session session(args, &watcher);
  if (!session.Round()) return kUsage;
  while (watcher.Wait()) {
    session.Round();
    if (watcher.Stopped()) break;
  }
  Out("\nstopped\n");
  return session.ok() ? kOk : kFindings;
}

}  // namespace dpl::dplc
