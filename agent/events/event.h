// SPDX-License-Identifier: Apache-2.0
// What the agent tells, one event a line, and keeps for those who ask later.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/time/time.h"
#include "agent/base/severity.h"

namespace pagewarden {

struct Event {
  // Given by the event log: one higher than that of the event before, also across
  // restarts of the agent. 0: not in the log yet.
  uint64_t sequence = 0;
  absl::Time time;
  // Stable words: "denial", "bypass", "limitNear", "budget", "rlimit", "guardHit",
  // "violation", "uncovered", "secret", "reload", "agent", "lost".
  std::string type;
  // Of types that last (limitNear, budget, rlimit, uncovered, secret, reload): false when it
  // is over, and the severity is then kInfo.
  bool raised = true;
  Severity severity = Severity::kInfo;
  std::string cgroup;  // path; empty: of the host
  pid_t pid = 0;       // 0: not of one process
  std::string comm;
  std::string policy;  // empty: of none
  std::string text;    // one sentence with the numbers and without secrets
  nlohmann::json details = nlohmann::json::object();  // numbers and words, by type
};

}  // namespace pagewarden
