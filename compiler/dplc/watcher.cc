// Folders watched by the kernel; and Ctrl-C, which arrives as a file too, so that one poll waits
// for both.
#include "compiler/dplc/watcher.h"

#include <csignal>
#include <filesystem>
#include <system_error>

#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace dpl::dplc {
namespace {

namespace fs = std::filesystem;

constexpr int kQuietMs = 20;  // an editor writes in several steps: wait until it is done
constexpr int kPollMs = 300;  // where the kernel offers no watch

}  // namespace

Watcher::Watcher() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  inotify_ = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
}

Watcher::~Watcher() {
  if (signals_ >= 0) close(signals_);
  if (inotify_ >= 0) close(inotify_);
}

// Adding a folder again costs nothing, and is needed for one that went away and came back.
void Watcher::Add(const std::string& folder) {
  if (inotify_ < 0) return;
  inotify_add_watch(inotify_, folder.c_str(),
                    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE);
}

void Watcher::AddFolderOf(const std::string& file) {
  fs::path folder = fs::path(file).parent_path();
  Add(folder.empty() ? std::string(".") : folder.string());
}

void Watcher::AddPolicies(const std::vector<std::string>& paths, const SourceSet& sources) {
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      AddFolderOf(path);
      continue;
    }
    Add(path);
    fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, error);
    for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      if (!it->is_directory(error)) continue;
      if (it->path().filename().string().starts_with(".")) {
        it.disable_recursion_pending();
      } else {
        Add(it->path().string());
      }
    }
  }
  std::set<std::string> folders;
  for (uint32_t i = 0; i < sources.size(); ++i)
    folders.insert(fs::path(sources[i].path()).parent_path().string());
  for (const std::string& folder : folders) Add(folder.empty() ? std::string(".") : folder);
}

bool Watcher::Stopped() const {
  pollfd p{signals_, POLLIN, 0};
  return poll(&p, 1, 0) > 0;
}

bool Watcher::Wait() {
  pollfd p[2] = {{signals_, POLLIN, 0}, {inotify_, POLLIN, 0}};
  for (;;) {
    int n = poll(p, inotify_ < 0 ? 1 : 2, inotify_ < 0 ? kPollMs : -1);
    if (n < 0) continue;
    if (p[0].revents != 0) return false;
    if (n == 0) return true;
    Drain();
    while (poll(&p[1], 1, kQuietMs) > 0) Drain();
    return true;
  }
}

void Watcher::Drain() {
  char buffer[4096];
  while (read(inotify_, buffer, sizeof buffer) > 0) {
  }
}

}  // namespace dpl::dplc
