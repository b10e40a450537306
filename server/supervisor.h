// Telling the service manager how it goes: systemd's notification protocol, one datagram a message.
//
//   Supervisor supervisor;            // reads $NOTIFY_SOCKET; without it every call does nothing
//   supervisor.Tell("READY=1\nSTATUS=LOADED sha256:…");
//
// See sd_notify(3). Any thread.
#pragma once

#include <string>
#include <string_view>

namespace dpl {

class Supervisor {
 public:
  Supervisor();
  void Tell(std::string_view message) const;
  // "RELOADING=1", with the time that systemd wants beside it.
  void TellReloading() const;

 private:
  std::string address_;  // a path, or with a leading NUL an abstract name; empty: nobody listens
};

}  // namespace dpl
