// From the words of a command to a request, and from the answer to what is printed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "server/ctl/client.h"
#include "server/ctl/commands.h"

namespace dpl {

// The values of a command's arguments, by their flag.
using Given = std::map<std::string_view, std::vector<std::string>>;

// The request a command makes; an error is wrong use. `more`: query parameters of every list
// (`limit`, `cursor`).
Result<Ask> MakeAsk(const Command& command, const Given& given,
                    const std::vector<std::pair<std::string, std::string>>& more);

enum ExitCode : int { kDone = 0, kRefused = 1, kUsage = 2, kUnreachable = 3 };

// Prints the answer on `out`, or what it was refused for on `err`; the exit code. `*next`: the
// cursor of the next page, empty when there is none.
int PrintReply(const Command& command, const Reply& reply, bool json, std::string* out,
               std::string* err, std::string* next);

}  // namespace dpl
