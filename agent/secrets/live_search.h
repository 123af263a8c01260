// SPDX-License-Identifier: Apache-2.0
// Copies of secrets in a process that runs on while it is searched.
//
//   LiveSearch search(needles, options);
//   auto seen = search.Look(pid);
//   ...                                     // some time later
//   auto lasting = search.LookAgain(*seen);  // unfenced ones that are still there
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/proof/copies.h"
#include "agent/proof/needles.h"
#include "agent/proof/process_scan.h"
#include "agent/proof/scanner.h"
#include "agent/proof/verify.h"

namespace pagewarden {

// More unfenced copies in one process are not looked at.
inline constexpr size_t kMaxUnfencedCopies = 4096;

struct LookResult {
  pid_t pid = 0;
  uint64_t start_ticks = 0;
  std::map<std::string, uint64_t> fenced;  // by file
  std::vector<Copy> unfenced;              // by address; also what is locked outside of arenas
  std::vector<std::string> unreadable;     // a line for each mapping with such pages
  bool has_secret_memory = false;          // memfd_secret(2): nobody can look inside
};

class LiveSearch {
 public:
  // Keeps references.
  LiveSearch(const NeedleSet& needles, const ScanOptions& options)
      : needles_(needles), options_(options), scanner_(needles) {}

  // NotFound: the process is gone. Cancelled: by options.go_on.
  absl::StatusOr<LookResult> Look(pid_t pid) const;

  // Those of `seen.unfenced` that are still where they were, and still unfenced, with their
  // places. Empty where the process is gone.
  absl::StatusOr<std::vector<FoundCopy>> LookAgain(const LookResult& seen) const;

 private:
  const NeedleSet& needles_;
  const ScanOptions& options_;
  const Scanner scanner_;
};

}  // namespace pagewarden
