// Waits until a file changes in the folders that policies come from, or the user presses Ctrl-C:
// what the `--watch` of dplc's commands share.
//
//   Watcher watcher;
//   watcher.AddPolicies(paths, sources);   // before the files are read, and again after
//   while (watcher.Wait()) …               // something changed; false: the user has had enough
//
// One per process: it takes SIGINT and SIGTERM for itself.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "compiler/source/source_file.h"

namespace dpl::dplc {

class Watcher {
 public:
  Watcher();
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // The named folders with all below them, the folders of the named files, and those of the
  // sources.
  void AddPolicies(const std::vector<std::string>& paths, const SourceSet& sources);
  void AddFolderOf(const std::string& file);

  // Until something happened in a watched folder and it has been quiet for a moment. False: Ctrl-C.
  bool Wait();
  bool Stopped() const;  // whether Ctrl-C was pressed meanwhile

 private:
  void Add(const std::string& folder);
  void Drain();

  int signals_ = -1, inotify_ = -1;
};

}  // namespace dpl::dplc
