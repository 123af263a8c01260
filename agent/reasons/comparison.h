// SPDX-License-Identifier: Apache-2.0
// The kernel's arithmetic: each mechanism compares one counter with RLIMIT_MEMLOCK.
// Sources: mm/mlock.c, mm/mmap.c, mm/mremap.c, mm/secretmem.c, io_uring/rsrc.c,
// kernel/events/core.c, net/xdp/xdp_umem.c, net/core/skbuff.c.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/reasons/attempt.h"
#include "agent/reasons/reason.h"

namespace pagewarden {

struct Comparison {
  bool applies = false;                // the call is compared with the limit at all
  Reason reason = Reason::kOverLimit;  // of a refusal by it
  const char* counter = "";            // "VmLck", "user_struct->locked_vm", …
  uint64_t used_bytes = 0;             // of that counter, overlap subtracted
  uint64_t request_bytes = 0;
  uint64_t needed_bytes = 0;     // used + request, saturating
  bool over = false;             // needed > the limit rounded down to pages
  bool capability_helps = true;  // CAP_IPC_LOCK lifts the limit for this mechanism
};

Comparison Compare(const Attempt& attempt);

// CAP_IPC_LOCK as capable() sees it: effective, in the initial user namespace.
bool HasCapability(const Attempt& attempt);

// What is special about a refusal for `comparison`, in the order of the enum.
std::vector<LimitDetail> LimitDetails(const Attempt& attempt, const Comparison& comparison);

// What `details` mean, one clause each with the numbers: "; the hard limit is …".
std::string DescribeDetails(const Attempt& attempt, const std::vector<LimitDetail>& details);

}  // namespace pagewarden
