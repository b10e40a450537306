// Whether files that were read have changed since, by looking at them now and then.
//
//   FileWatch watch;
//   watch.Known({config, bundle, facts});  // before they are read
//   if (watch.Changed()) …                 // every few seconds; then Known() again, and read
//
// A change counts once the files have looked the same twice in a row: a file that is still being
// written, or the second of two that are replaced together, is waited for. Looking costs one stat()
// a file, follows links (so a replaced link is a change), and needs no handle that could go stale
// when a folder is replaced.
#pragma once

#include <string>
#include <vector>

namespace dpl {

class FileWatch {
 public:
  // Takes the files as they are now for known. Empty names are left out.
  void Known(const std::vector<std::string>& paths);
  bool Changed();

 private:
  std::vector<std::string> Look() const;

  std::vector<std::string> paths_;
  std::vector<std::string> known_, last_;  // what each looked like
};

}  // namespace dpl
