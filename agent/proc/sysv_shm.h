// SPDX-License-Identifier: Apache-2.0
// System V shared memory that SHM_LOCK locks, from /proc/sysvipc/shm (proc(5)). No
// process's VmLck counts it, and it may outlive all of them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

struct LockedSegment {
  int shmid = 0;
  uint64_t bytes = 0;          // whole pages, as they are charged
  uid_t owner = 0;             // SHM_LOCK charges the user who called it: usually this one
  pid_t creator_pid = 0;       // may be gone; 0: in another pid namespace
  uint64_t attached = 0;       // mappings of it
  uint64_t ipc_namespace = 0;  // inode of /proc/PID/ns/ipc
};

// The segments of the table that are locked. InvalidArgument: a line is not of the
// documented form.
absl::StatusOr<std::vector<LockedSegment>> ParseLockedSegments(absl::string_view table);

// Those of the caller's ipc namespace.
absl::StatusOr<std::vector<LockedSegment>> ReadLockedSegments();

// Those of the namespace that `pid` is in, by a thread that enters it. NotFound: the
// process is gone; PermissionDenied: needs CAP_SYS_ADMIN and to be let look at it
// (ptrace(2), PTRACE_MODE_READ).
absl::StatusOr<std::vector<LockedSegment>> ReadLockedSegmentsOf(pid_t pid);

// Inode of /proc/PID/ns/ipc. Errors as above.
absl::StatusOr<uint64_t> ReadIpcNamespace(pid_t pid);

}  // namespace pagewarden
