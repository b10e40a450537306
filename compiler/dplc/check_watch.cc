// The loop of dplc check --watch. A check writes its findings into the trees, so each runs in a
// child process on a copy that the system makes only where it is written to: the trees here stay as
// the parser made them, and fit for the next round.
#include "compiler/dplc/check_watch.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "compiler/dplc/report.h"
#include "compiler/dplc/watcher.h"

namespace dpl::dplc {
namespace {

class Session {
 public:
  Session(const CheckArgs& args, Watcher* watcher) : args_(args), watcher_(*watcher) {
    args_.common.format = "text";
  }

  // One round. False when the paths cannot be read.
  bool Round() {
    auto c = std::make_unique<testing::Compilation>();
    c->jobs = args_.common.jobs;
    // Before reading: nothing that changes meanwhile is missed.
    watcher_.AddPolicies(args_.common.paths, c->sources);
    if (!args_.facts.empty()) watcher_.AddFolderOf(args_.facts);
    if (Status s = testing::LoadSources(args_.common.paths, &c->sources); !s.ok()) {
      UsageError(s.error());
      return false;
    }
    testing::ParseSources(c.get(), last_.get());
    watcher_.AddPolicies(args_.common.paths, c->sources);
    std::string facts;
    if (Result<std::string> text = testing::ReadFile(args_.facts); text.ok()) facts = text.take();
    bool same = last_ != nullptr && c->parsed == 0 && c->sources.size() == last_->sources.size() &&
                facts == facts_;
    last_ = std::move(c);
    facts_ = std::move(facts);
    if (same) return true;  // a file beside ours, or one that was only touched
    Abandon();
    Start("parsed " + std::to_string(last_->parsed) + " of " +
          std::to_string(last_->sources.size()) +
          (last_->sources.size() == 1 ? " file" : " files") + "; watching, Ctrl-C ends\n");
    return true;
  }
  // Of the last check, once it is done.
  int code() {
    Collect();
    return code_;
  }

 private:
  // The check of last_ in a child, which says `done` when its findings are out.
  void Start(const std::string& done) {
    std::fflush(nullptr);
    child_ = fork();
    if (child_ < 0) {
      Err("dplc: no process could be started for the check\n");
      code_ = kInternal;
    }
    if (child_ != 0) return;
    int code = kInternal;
    try {
      code = CheckParsed(args_, last_.get(), done);
    } catch (const std::exception& e) {
      Err(std::string("dplc: internal fault: ") + e.what() + "\n");
    }
    std::fflush(nullptr);
    _exit(code);
  }

  // What a check had still to say about the text before does not matter any more.
  void Abandon() {
    if (child_ > 0) kill(child_, SIGKILL);
    Collect();
  }

  void Collect() {
    if (child_ <= 0) return;
    int status = 0;
    while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(kInternal);
  }

  CheckArgs args_;
  Watcher& watcher_;
  std::unique_ptr<testing::Compilation> last_;  // parsed, not checked
  std::string facts_;
  pid_t child_ = -1;
  int code_ = kOk;
};

}  // namespace

int WatchCheck(const CheckArgs& args) {
  Watcher watcher;
  Session session(args, &watcher);
  if (!session.Round()) return kUsage;
  while (watcher.Wait()) session.Round();
  return session.code();
}

}  // namespace dpl::dplc
