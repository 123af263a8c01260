// SPDX-License-Identifier: Apache-2.0
// Processes that touch a guard page of their fence (bpf/guard_hits): seen when the
// kernel makes the SIGSEGV, whatever the process does with it then.
//
//   HookReport report;
//   auto hits = GuardHits::Open(hierarchy.version(), {}, &report);
//   for (const GuardEvent& event : hits->Read()) …
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/bpf/hook_report.h"
#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

struct GuardHit {
  uint64_t address = 0;
  std::string place;           // which guard: "before arena default", … (guard_place.h)
  std::string module;          // file name of the instruction's code; empty: not known
  uint64_t module_offset = 0;  // of the instruction in that file
};

struct GuardEvent {
  absl::Time time;
  pid_t pid = 0;  // of the reader's namespace; 0: not visible in it
  uid_t uid = 0;  // effective
  std::string comm;
  uint64_t cgroup_id = 0;
  GuardHit hit;
};

struct GuardOptions {
  uint32_t ring_bytes = 256 << 10;  // a power of two, a page at least; a hit takes 1.2 KiB
  bool scan = false;                // find the ledgers as on kernels before 6.7
};

class GuardHits {
 public:
  // The status says why no hook works; `report` tells which were refused, in any case.
  static absl::StatusOr<GuardHits> Open(std::optional<CgroupVersion> version,
                                        const GuardOptions& options, HookReport* report);
  GuardHits(GuardHits&&) noexcept;
  GuardHits& operator=(GuardHits&&) noexcept;
  ~GuardHits();

  // Readable when there are hits: for poll(2).
  int fd() const;

  // Those since the last call. What the processes wrote is checked; a ledger that
  // breaks its contract gives no event.
  std::vector<GuardEvent> Read();

  // Where the kernel cannot find a ledger by itself (before 6.16): tells it of those
  // of processes that are new. Does nothing elsewhere.
  void LookForShims();

  HookReport Report() const;

 private:
  struct Hook;
  explicit GuardHits(std::unique_ptr<Hook> hook);
  std::unique_ptr<Hook> hook_;
};

}  // namespace pagewarden
