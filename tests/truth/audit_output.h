// SPDX-License-Identifier: Apache-2.0
// `pagewarden audit --json`, run and read.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace truth {

struct AuditedProcess {
  std::string cgroup;
  uint64_t locked_bytes = 0;
  uint64_t pinned_bytes = 0;
  int64_t drift_bytes = 0;
};

struct AuditedCgroup {
  uint64_t locked_bytes = 0;
  uint64_t pinned_bytes = 0;
};

struct AuditOutput {
  std::map<pid_t, AuditedProcess> processes;
  std::map<std::string, AuditedCgroup> cgroups;
  std::map<uid_t, uint64_t> residues;
};

// Internal: it did not end with 0, or said something on stderr, or what it printed is
// not the JSON of a report, or has a process twice.
absl::StatusOr<AuditOutput> RunAudit(const std::string& program, const std::string& source,
                                     const std::string& cgroup);

}  // namespace truth
