// SPDX-License-Identifier: Apache-2.0
// Which RLIMIT_MEMLOCK a process needs, with the arithmetic.
//
// The limit applies to each process, so that of a cgroup is the largest need of its
// processes, not their sum. The kernel compares each of its counters alone with it
// (mm/mlock.c, io_uring/rsrc.c, drivers/infiniband/core/umem.c), so that the need of a
// process is the largest of its counters, not their sum either: docs/audit.md.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/audit/process_row.h"
#include "agent/audit/uid_residue.h"
#include "agent/watch/watch.h"

namespace pagewarden {

// Bytes. Sums stop at 2^62: arena sizes come from the audited process.
struct LimitNeed {
  pid_t pid = 0;
  std::string comm;
  uint64_t peak_locked_bytes = 0;  // highest VmLck seen, arenas included
  bool peak_exact = false;
  uint64_t future_bytes = 0;  // under mlockall(MCL_FUTURE): VmPeak, all of which may be locked
  uint64_t unlocked_arena_bytes = 0;  // of the shim's arenas, what is not locked yet
  uint64_t arena_growth_bytes = 0;    // as much again for arenas that have grown
  uint64_t pinned_bytes = 0;          // VmPin
  uint64_t uid_bytes = 0;  // charged to its whole uid, where the process holds part of it

  uint64_t locked_need() const;
  uint64_t need() const;  // the largest of the three counters
};

struct Recommendation {
  LimitNeed largest;            // of all processes; pid 0: none needs any
  uint64_t headroom_bytes = 0;  // a quarter of the need
  uint64_t limit_bytes = 0;     // need and headroom, rounded up to 64 KiB; 0: no need seen
};

// `peak` may be less than what the row shows now; `uid`: of the row's real uid, or null.
LimitNeed NeedOf(const ProcessRow& row, const Peak& peak, const UidResidue* uid);

Recommendation Recommend(const LimitNeed& largest);

}  // namespace pagewarden
