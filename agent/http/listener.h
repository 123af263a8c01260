// SPDX-License-Identifier: Apache-2.0
// Sockets that wait for connections.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/base/unique_fd.h"

namespace pagewarden {

// `address`: "127.0.0.1:9876", "[::1]:0"; no names. The socket does not block.
absl::StatusOr<UniqueFd> ListenOnTcp(const std::string& address);

// Mode 0600. The path of a socket that nobody listens on is taken over; anything else
// that is there is left alone (Unavailable, FailedPrecondition).
absl::StatusOr<UniqueFd> ListenOnPath(const std::string& path);

// That a TCP socket is bound to.
int PortOf(int socket);

}  // namespace pagewarden
