// SPDX-License-Identifier: Apache-2.0
// Finds needles in memory: every run of at least min_run contiguous intact bytes.
//
//   Scanner scanner(needles);
//   std::vector<Fragment> fragments;
//   scanner.Scan(buffer, address, fragments);
//   std::vector<Copy> copies = MergeFragments(needles, std::move(fragments));
//
// A Scanner is immutable: any number of threads may use one.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/proof/needles.h"
#include "agent/proof/window_table.h"

namespace pagewarden {

// Intact bytes [offset, offset + bytes) of a needle at `address`.
struct Fragment {
  uint32_t needle = 0;
  uint32_t offset = 0;
  uint32_t bytes = 0;
  uint64_t address = 0;
};

class Scanner {
 public:
  // Keeps a reference to `needles`.
  explicit Scanner(const NeedleSet& needles);

  // Appends the runs in `memory`, whose first byte is at `address`.
  void Scan(ByteView memory, uint64_t address, std::vector<Fragment>& fragments) const;

  // Buffers that overlap by this much miss no run at their border.
  static constexpr size_t kOverlap = kMinKeyRun;

 private:
  const NeedleSet& needles_;
  WindowTable<uint64_t> long_runs_;
  WindowTable<uint32_t> short_runs_;
};

}  // namespace pagewarden
