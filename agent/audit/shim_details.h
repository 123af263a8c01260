// SPDX-License-Identifier: Apache-2.0
// What the shim in a process says, and what the kernel says about that.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/audit/process_row.h"
#include "agent/proc/mappings.h"

namespace pagewarden {

// Bytes that the ledger says are locked and that VmLck includes: not secret memory.
uint64_t LockedByLedger(const ShimState& shim);

// Lowers those to what is locked in `mappings`. A raw clone has its parent's ledger
// and none of its locks, since no fork handler ran in it.
void KeepRealLocks(const std::vector<Mapping>& mappings, ShimState& shim);

// Limits what the shim pinned to what is locked beside its arenas. What the C library
// unmaps by itself stays in the shim's books until it looks again.
void KeepRealPins(uint64_t locked_bytes, ShimState& shim);

// Whether libpagewarden.so is mapped. NotFound: the process is gone; PermissionDenied:
// needs the same user or CAP_SYS_PTRACE.
absl::StatusOr<bool> MapsShim(pid_t pid);

// Fills shim_loaded and shim where it is. Errors as above.
absl::Status AddShimState(ProcessRow& row);

}  // namespace pagewarden
