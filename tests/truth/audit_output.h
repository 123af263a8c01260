// SPDX-License-Identifier: Apache-2.0
// `pagewarden audit --json`, run and read.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"

namespace truth {

struct AuditedProcess {
  std::string cgroup;
  uid_t uid = 0;
  uint64_t locked_bytes = 0;
  uint64_t pinned_bytes = 0;
  int64_t drift_bytes = 0;
  // Of lockedMappings; nullopt: the report does not tell, as where nothing is locked.
  std::optional<uint64_t> mapping_bytes;  // of all kinds
  std::optional<uint64_t> secret_bytes;
  std::optional<bool> locks_future;  // from BPF alone
};

struct AuditedSums {
  uint64_t locked_bytes = 0;
  uint64_t pinned_bytes = 0;
};

struct AuditedCgroup {
  AuditedSums own;
  AuditedSums subtree;
  uint64_t subtree_processes = 0;
};

struct AuditedUser {
  uint64_t residue_bytes = 0;
  uint64_t explained_bytes = 0;  // of these, by open files
  uint64_t shm_locked_bytes = 0;
};

struct AuditOutput {
  std::map<pid_t, AuditedProcess> processes;
  std::map<std::string, AuditedCgroup> cgroups;
  std::map<uid_t, AuditedUser> users;
  std::map<int, uint64_t> segments;  // locked, by id
  std::set<pid_t> drifting;          // by its findings
  uint64_t counter_differences = 0;  // between BPF and /proc, that it found itself
  // False: an audit without subtrees, kinds of mappings, findings and details of users.
  bool is_detailed = false;
};

// Internal: it did not end with 0, or said something on stderr, or what it printed is
// not the JSON of a report, or has a process twice.
absl::StatusOr<AuditOutput> RunAudit(const std::string& program, const std::string& source,
                                     const std::string& cgroup);

}  // namespace truth
