// SPDX-License-Identifier: Apache-2.0
// The live blocks of a recorded process, by the addresses they cover.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "recorder/recording.h"

namespace pagewarden {

class BlockIndex {
 public:
  explicit BlockIndex(std::vector<recording::Block> blocks);

  // Reads the table that the process keeps. It may run on meanwhile: then what
  // changes in that instant may be missed.
  static absl::StatusOr<BlockIndex> Read(pid_t pid, const recording::Process& process);

  // The block of the heap that holds `address`, else the mapping; null: none.
  const recording::Block* Find(uint64_t address) const;

  const std::vector<recording::Block>& mappings() const { return mappings_; }

 private:
  std::vector<recording::Block> heap_;  // by address
  std::vector<recording::Block> mappings_;
};

}  // namespace pagewarden
