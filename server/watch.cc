// See watch.h.
#include "server/watch.h"

#include <sys/stat.h>

namespace dpl {

void FileWatch::Known(const std::vector<std::string>& paths) {
  paths_.clear();
  for (const std::string& path : paths) {
    if (!path.empty()) paths_.push_back(path);
  }
  known_ = last_ = Look();
}

bool FileWatch::Changed() {
  std::vector<std::string> now = Look();
  const bool quiet = now == last_;
  last_ = std::move(now);
  return quiet && last_ != known_;
}

// Device, inode, size and both times: a file that was renamed into place differs in its inode, one
// that was written in place in a time or its size.
std::vector<std::string> FileWatch::Look() const {
  std::vector<std::string> out;
  for (const std::string& path : paths_) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) {
      out.emplace_back("none");
      continue;
    }
    std::string text;
    for (auto number :
         {static_cast<long long>(info.st_dev), static_cast<long long>(info.st_ino),
          static_cast<long long>(info.st_size), static_cast<long long>(info.st_mtim.tv_sec),
          static_cast<long long>(info.st_mtim.tv_nsec), static_cast<long long>(info.st_ctim.tv_sec),
          static_cast<long long>(info.st_ctim.tv_nsec)})
      text.append(std::to_string(number)).append(" ");
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace dpl
