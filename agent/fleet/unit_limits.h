// SPDX-License-Identifier: Apache-2.0
// The limit that each service needs wherever it runs: the highest of all hosts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/fleet/query_answer.h"

namespace pagewarden {

struct UnitLimit {
  std::string unit;                            // a valid name of a service, "nginx.service"
  uint64_t recommended_bytes = 0;              // above 0
  uint64_t peak_bytes = 0;                     // highest of any cgroup of the unit, on any host
  std::optional<uint64_t> lowest_limit_bytes;  // nullopt: unlimited, or not known
  bool limit_known = false;
  uint64_t hosts = 0;        // that run it, as far as they recommend anything
  std::string highest_host;  // `instance` of the highest recommendation
};

// By unit, at most kMaxUnitLimits. `samples`: of LimitsQuestion().
inline constexpr size_t kMaxUnitLimits = 2000;
std::vector<UnitLimit> UnitLimitsOf(const std::vector<QuerySample>& samples);

// The systemd drop-in, with the figures it comes from. `server`: where they were asked.
std::string DropInOf(const UnitLimit& limit, const std::string& server);

// Writes DIR/UNIT.d/50-pagewarden-memlock.conf, each whole or not at all, and returns the path.
absl::StatusOr<std::string> WriteDropIn(const std::string& directory, const UnitLimit& limit,
                                        const std::string& server);

}  // namespace pagewarden
