// One HTTP request to a dpld on this machine or elsewhere, and its answer.
//
//   Result<Reply> reply = Send(*Target::Parse("unix:operate.sock"), {"GET", "/v1/status", token,
//   {}}); if (!reply.ok()) …   // "ctl.address", "ctl.reach": nobody answered
//
// Blocking, one connection for each call, 30 seconds for all of it.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "server/http/address.h"

namespace dpl {

struct Target {
  ListenAddress address;
  // `unix:PATH`, `http://127.0.0.1:8182`, or the address alone.
  static Result<Target> Parse(std::string_view text);
};

struct Ask {
  std::string method, path;  // path and query, encoded
  std::string token;         // empty: none
  std::string body;          // empty: none
};

struct Reply {
  int status = 0;
  std::string body;
};

Result<Reply> Send(const Target& target, const Ask& ask);

}  // namespace dpl
