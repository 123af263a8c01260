// SPDX-License-Identifier: Apache-2.0
#include "agent/http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace pagewarden {
namespace {

constexpr int kBacklog = 256;

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
  sockaddr_un local;
};

absl::Status Taken(int error, absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", strerror(error)));
}

UniqueFd NewSocket(int family) {
  return UniqueFd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// 0: it is no address.
socklen_t ParseAddress(absl::string_view text, SocketAddress& address) {
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &port) ||
      port > UINT16_MAX) {
    return 0;
  }
  absl::string_view host = text.substr(0, colon);
  memset(&address, 0, sizeof(address));
  if (absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]")) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
    const bool ok = inet_pton(AF_INET6, std::string(host).c_str(), &address.v6.sin6_addr) == 1;
    return ok ? sizeof(address.v6) : 0;
  }
  address.v4.sin_family = AF_INET;
  address.v4.sin_port = htons(port);
  const bool ok = inet_pton(AF_INET, std::string(host).c_str(), &address.v4.sin_addr) == 1;
  return ok ? sizeof(address.v4) : 0;
}

// Removes a socket of a server that has ended without doing so.
absl::Status RemoveDeadSocket(const std::string& path, const SocketAddress& address) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISSOCK(info.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": is there and is no socket"));
  }
  const UniqueFd probe = NewSocket(AF_UNIX);
  if (connect(probe.get(), &address.any, sizeof(address.local)) == 0 || errno != ECONNREFUSED) {
    return absl::UnavailableError(absl::StrCat(path, ": another server listens there"));
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Taken(errno, path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UniqueFd> ListenOnTcp(const std::string& text) {
  SocketAddress address;
  const socklen_t length = ParseAddress(text, address);
  if (length == 0) {
    return absl::InvalidArgumentError(absl::StrCat(text, ": not ADDRESS:PORT or [ADDRESS]:PORT"));
  }
  UniqueFd fd = NewSocket(address.any.sa_family);
  const int on = 1;
  if (!fd.ok() || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      bind(fd.get(), &address.any, length) != 0 || listen(fd.get(), kBacklog) != 0) {
    return Taken(errno, text);
  }
  return fd;
}

absl::StatusOr<UniqueFd> ListenOnPath(const std::string& path) {
  SocketAddress address;
  memset(&address, 0, sizeof(address));
  if (path.empty() || path.size() >= sizeof(address.local.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": longer than a socket's path may be"));
  }
  address.local.sun_family = AF_UNIX;
  memcpy(address.local.sun_path, path.data(), path.size());
  const absl::Status removed = RemoveDeadSocket(path, address);
  if (!removed.ok()) return removed;
  UniqueFd fd = NewSocket(AF_UNIX);
  // The mode of the descriptor is that of the file which bind makes.
  if (!fd.ok() || fchmod(fd.get(), 0600) != 0 ||
      bind(fd.get(), &address.any, sizeof(address.local)) != 0 || listen(fd.get(), kBacklog) != 0) {
    return Taken(errno, path);
  }
  return fd;
}

int PortOf(int socket) {
  SocketAddress address;
  socklen_t length = sizeof(address);
  if (getsockname(socket, &address.any, &length) != 0) return 0;
  return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

}  // namespace pagewarden
