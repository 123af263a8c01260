// SPDX-License-Identifier: Apache-2.0
// Finds the copies of secrets in one live process.
//
// The process runs on meanwhile: a copy that moves while it is looked for may
// be missed or seen twice. Reading brings swapped pages back into memory.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/proc/mappings.h"
#include "agent/proof/copies.h"
#include "agent/proof/needles.h"
#include "agent/proof/scanner.h"

namespace pagewarden {

inline constexpr size_t kMaxFragmentsPerProcess = 1 << 20;

struct ProcessScan {
  std::vector<Copy> copies;
  std::vector<std::string> unreadable;  // one line for each mapping with unreadable data
};

struct ScanOptions {
  // Of files of disks only the pages that the process has in its page tables, so that nothing
  // is read from the disk for it.
  bool mapped_pages_of_files = false;
  // Asked before each 256 KiB, may sleep; false ends the scan (Cancelled). Null: never.
  std::function<bool()> go_on;
};

// Reads what the mappings hold, but for devices and the kernel's own pages
// ([vdso] and the like). Private memory without read permission is read too:
// it is swapped and dumped like any other. ResourceExhausted: more than
// kMaxFragmentsPerProcess runs.
absl::StatusOr<ProcessScan> ScanProcess(pid_t pid, const std::vector<Mapping>& mappings,
                                        const NeedleSet& needles, const Scanner& scanner,
                                        const ScanOptions& options = {});

}  // namespace pagewarden
