// SPDX-License-Identifier: Apache-2.0
// Tells a BPF program where the ledgers of the running processes are, for kernels
// on which it cannot walk a process's mappings.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"

namespace pagewarden {

class ShimFinder {
 public:
  // `ledgers`: a BPF hash of pid → address, borrowed.
  explicit ShimFinder(int ledgers) : ledgers_(ledgers) {}

  // Reads the mappings of each process that is new or has a new executable, a few times,
  // and forgets those that have ended. Not thread-safe.
  void Look();

 private:
  struct Seen {
    std::string executable;  // as /proc/PID/exe names it
    int looks = 0;           // at its mappings
    uint64_t round = 0;
  };

  void LookAt(pid_t pid);

  int ledgers_;
  uint64_t round_ = 0;
  absl::flat_hash_map<pid_t, Seen> seen_;
};

}  // namespace pagewarden
