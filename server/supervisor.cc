// See supervisor.h.
#include "server/supervisor.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

namespace dpl {

Supervisor::Supervisor() {
  const char* given = std::getenv("NOTIFY_SOCKET");
  std::string_view name = given == nullptr ? "" : given;
  if (name.size() < 2 || name.size() >= sizeof(sockaddr_un::sun_path)) return;
  if (name[0] != '/' && name[0] != '@') return;
  address_ = name;
  if (address_[0] == '@') address_[0] = '\0';
}

// A message that cannot be sent is none that could be waited for.
void Supervisor::Tell(std::string_view message) const {
  if (address_.empty()) return;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  (void)sendto(fd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&to),
               static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size()));
  close(fd);
}

void Supervisor::TellReloading() const {
  if (address_.empty()) return;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  Tell("RELOADING=1\nMONOTONIC_USEC=" +
       std::to_string(int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000));
}

}  // namespace dpl
