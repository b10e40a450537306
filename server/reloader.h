// The thread that keeps what is in force up to date: it reloads when told and when files change,
// and lets go of what was in force before, so that no answering thread has to. It gives way to
// those that answer.
//
//   Reloader reloader(seconds, [&](std::string_view cause) { … });
//   reloader.watch().Known(files);
//   reloader.Start();
//   reloader.Ask();                 // as SIGHUP does
//   reloader.LetGo(snapshot);       // not in force any more
//   reloader.End();
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "server/load.h"
#include "server/watch.h"

namespace dpl {

class Reloader {
 public:
  // `reload` runs on the thread, told the cause: "signal", "change" or "retry". `watch_seconds`:
  // how often files are looked at; 0: never.
  Reloader(int watch_seconds, std::function<void(std::string_view cause)> reload);
  ~Reloader() { End(); }
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // Before Start, and within `reload`.
  FileWatch& watch() { return watch_; }

  void Start();
  // These from any thread. After End nothing is reloaded any more; it waits for one in progress.
  void Ask();
  // A reload could not be done for now: once more in a few seconds, unless one came before.
  void AskAgain();
  void LetGo(std::shared_ptr<const Snapshot> snapshot);  // null: nothing to let go of
  void End();

 private:
  void Run();

  const int watch_seconds_;
  const std::function<void(std::string_view)> reload_;
  FileWatch watch_;   // of the thread, once that runs
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  bool asked_ = false, ended_ = false;
  std::optional<std::chrono::steady_clock::time_point> again_;
  std::vector<std::shared_ptr<const Snapshot>> before_;
  std::thread thread_;
};

}  // namespace dpl
