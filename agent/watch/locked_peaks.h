// SPDX-License-Identifier: Apache-2.0
// The most that each process, and each cgroup, had locked since this began
// (bpf/locked_peaks).
//
//   auto peaks = LockedPeaks::Open(hierarchy.version(), {});
//   …
//   for (const auto& [id, peak] : peaks->ByCgroup()) …
//
// Exact where a hook sees each change of mm->locked_vm. Otherwise Sample() looks,
// and the end of each address space is seen: lower bounds.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "agent/bpf/hook_report.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/watch/peak.h"

namespace pagewarden {

struct PeakSizes {
  uint32_t max_processes = 65536;  // that lock memory, at a time
  uint32_t max_cgroups = 16384;
};

class LockedPeaks {
 public:
  // nullopt: no hierarchy, all is one cgroup of id 0. The status says why no hook
  // works, of the last one tried; `report` tells which were refused, in any case.
  static absl::StatusOr<LockedPeaks> Open(std::optional<CgroupVersion> version,
                                          const PeakSizes& sizes, HookReport* report);
  LockedPeaks(LockedPeaks&&) noexcept;
  LockedPeaks& operator=(LockedPeaks&&) noexcept;
  ~LockedPeaks();

  // Looks at every process now. Needed at times where not exact; harmless elsewhere.
  absl::Status Sample();
  bool is_exact() const;

  // By pid of the reader's namespace. A process that has ended is left out; one that
  // execs keeps its peak. Processes that share one address space (vfork) are one.
  absl::flat_hash_map<pid_t, Peak> ByProcess() const;
  // By id of the cgroup: of the sum over its own processes. Removed ones are left out.
  absl::flat_hash_map<uint64_t, Peak> ByCgroup() const;

  // `lost`: changes that found no room, or that the kernel kept from the program.
  HookReport Report() const;

 private:
  struct Hook;
  explicit LockedPeaks(std::unique_ptr<Hook> hook);
  std::unique_ptr<Hook> hook_;
};

}  // namespace pagewarden
