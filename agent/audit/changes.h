// SPDX-License-Identifier: Apache-2.0
// What is different between two reports of one watch.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/audit/formats.h"
#include "agent/audit/report.h"

namespace pagewarden {

struct Change {
  // Stable words: "locked", "pinned", "peak", "softLimit", "hardLimit", "drift",
  // "uncovered", "pending", "residue", "shmLocked".
  const char* what = "";
  std::string cgroup;        // empty: of a user
  pid_t pid = 0;             // 0: of the whole cgroup
  std::string comm;          // of the process
  std::optional<uid_t> uid;  // of a user
  // Bytes; drift may be negative, which is why they are signed. nullopt: unlimited.
  std::optional<int64_t> from;
  std::optional<int64_t> to;
  bool new_peak = false;  // locked: never as much before
  bool ended = false;     // the process is gone
  std::string reason;     // uncovered, pending: why; empty: it is over
};

// Locked and pinned bytes and peaks by cgroup, by process or by user; limits, drift and
// coverage by process, residue by user, whatever `by` is. A pid that another process has
// taken over counts as ended and started.
std::vector<Change> ChangesBetween(const AuditReport& before, const AuditReport& after, GroupBy by);

// "/a.service locked 1024 -> 3072 KiB, a new peak", without the time.
std::string ChangeText(const Change& change);

// One JSON object and a line break: `"type": "change"`.
std::string ChangeJson(const Change& change, absl::Time time);

}  // namespace pagewarden
