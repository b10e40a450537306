// dplc test --watch: runs the tests, waits until a file changes, and runs those again that the
// change can concern. Ends on Ctrl-C.
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "compiler/dplc/commands.h"
#include "compiler/dplc/report.h"
#include "compiler/dplc/test_report.h"
#include "compiler/testing/affected.h"
#include "compiler/testing/run.h"

namespace dpl::dplc {
namespace {

namespace fs = std::filesystem;

constexpr int kQuietMs = 50;  // an editor writes in several steps: wait until it is done
constexpr int kPollMs = 300;  // where the kernel offers no watch

// The folders that files come from, watched by the kernel; and Ctrl-C, which arrives as a file too,
// so that one poll waits for both.
class Watcher {
 public:
  Watcher() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    inotify_ = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  }
  ~Watcher() {
    if (signals_ >= 0) close(signals_);
    if (inotify_ >= 0) close(inotify_);
  }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  void Add(const std::string& folder) {
    if (inotify_ < 0 || !folders_.insert(folder).second) return;
    inotify_add_watch(inotify_, folder.c_str(),
                      IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE);
  }
  // A folder that went away and came back has to be watched anew.
  void Forget() { folders_.clear(); }

  bool Stopped() {
    pollfd p{signals_, POLLIN, 0};
    return poll(&p, 1, 0) > 0;
  }
  // Until something happened in a watched folder; false: the user has had enough.
  bool Wait() {
    pollfd p[2] = {{signals_, POLLIN, 0}, {inotify_, POLLIN, 0}};
    for (;;) {
      int n = poll(p, inotify_ < 0 ? 1 : 2, inotify_ < 0 ? kPollMs : -1);
      if (p[0].revents != 0) return false;
      if (n == 0) return true;
      if (n < 0) continue;
      Drain();
      while (poll(&p[1], 1, kQuietMs) > 0) Drain();
      return true;
    }
  }

 private:
  void Drain() {
    char buffer[4096];
    while (read(inotify_, buffer, sizeof buffer) > 0) {
    }
  }
  int signals_ = -1, inotify_ = -1;
  std::set<std::string> folders_;
};

void WatchAll(const TestArgs& args, const testing::Compilation& c, Watcher* watcher) {
  watcher->Forget();
  auto parent = [](const std::string& path) {
    fs::path folder = fs::path(path).parent_path();
    return folder.empty() ? std::string(".") : folder.string();
  };
  for (const std::string& path : args.common.paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      watcher->Add(parent(path));
      continue;
    }
    watcher->Add(path);
    for (fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied,
                                             error);
         !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      if (!it->is_directory(error)) continue;
      if (it->path().filename().string().starts_with(".")) {
        it.disable_recursion_pending();
        continue;
      }
      watcher->Add(it->path().string());
    }
  }
  for (uint32_t i = 0; i < c.sources.size(); ++i) watcher->Add(parent(c.sources[i].path()));
}

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
    WatchAll(args_, *c, &watcher_);  // before reading: nothing that changes meanwhile is missed
    if (Status s = testing::LoadSources(args_.common.paths, &c->sources); !s.ok()) {
      UsageError(s.error());
      return false;
    }
    testing::Compile({}, c.get());
    WatchAll(args_, *c, &watcher_);
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
