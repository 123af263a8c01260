// SPDX-License-Identifier: Apache-2.0
// What limits.conf(5) gives a user's new login sessions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pagewarden {

struct ConfiguredLimit {
  std::optional<uint64_t> hard_bytes;  // nullopt: unlimited
  std::string file;
};

// The hard memlock limit that /etc/security/limits.conf and limits.d give `user`.
// nullopt: none. `root`: "" or where an image is unpacked.
std::optional<ConfiguredLimit> ConfiguredMemlock(const std::string& root, const std::string& user,
                                                 const std::vector<std::string>& groups);

}  // namespace pagewarden
