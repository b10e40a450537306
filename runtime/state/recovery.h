// From the files of a folder to the state they hold: the newest image, then the groups of the log
// that follow it.
//
//   MemoryStore image;  RecoveryReport report;
//   Status read = RecoverState(folder, {}, &image, &report);
//   // error "state.corrupt": "log-0000000000000001: at byte 4096: group 17 is damaged, …"
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/state/memory_store.h"

namespace dpl {

struct RecoveryOptions {
  uint64_t upto = UINT64_MAX;  // the last group wanted
  // Damage does not end the reading: what can still be read is used, and what cannot is listed.
  bool salvage = false;
};

struct RecoveryReport {
  bool fresh = false;   // there was nothing
  uint64_t image = 0;   // the group of the image; 0: none
  uint64_t last = 0;    // the last group read
  uint64_t groups = 0;  // read from the log
  uint64_t operations = 0;
  uint64_t log_bytes = 0;
  std::string tail;                  // path of the log file to go on with
  size_t tail_end = 0;               // and where its last good frame ends
  bool tail_old = false;             // it has an older format: what comes begins a new file
  size_t torn_bytes = 0;             // of a last write that was cut off: never promised
  std::vector<std::string> lost;     // salvage only: what could not be read
  std::vector<std::string> damaged;  // and in which files
};

Status RecoverState(const std::string& folder, const RecoveryOptions& options, MemoryStore* image,
                    RecoveryReport* report);

// Removes images and log files that nothing needs once there is an image of group `image`.
Status RemoveOldState(const std::string& folder, uint64_t image);

}  // namespace dpl
