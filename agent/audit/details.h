// SPDX-License-Identifier: Apache-2.0
// What both sources leave out, because it costs more or needs more rights: the
// executable, the drift of VmLck, the state of the shim.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/audit/process_row.h"
#include "agent/proc/mappings.h"

namespace pagewarden {

// Bytes of `locked_bytes` that no locked mapping accounts for.
int64_t DriftOf(uint64_t locked_bytes, const std::vector<Mapping>& mappings);

// Bytes that the ledger says are locked and that VmLck includes: not secret memory.
uint64_t LockedByLedger(const ShimState& shim);

// Lowers those to what is locked in `mappings`. A raw clone has its parent's ledger
// and none of its locks, since no fork handler ran in it.
void KeepRealLocks(const std::vector<Mapping>& mappings, ShimState& shim);

// Limits what the shim pinned to what is locked beside its arenas. What the C library
// unmaps by itself stays in the shim's books until it looks again.
void KeepRealPins(uint64_t locked_bytes, ShimState& shim);

// Fills exe, drift_bytes (only where locked_bytes > 0: smaps walks page tables)
// and the shim's state. PermissionDenied: some of it could not be read, which
// needs the same user or CAP_SYS_PTRACE. A process that is gone is no error.
absl::Status AddDetails(ProcessRow& row);

}  // namespace pagewarden
