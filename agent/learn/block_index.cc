// SPDX-License-Identifier: Apache-2.0
#include "agent/learn/block_index.h"

#include <algorithm>
#include <utility>

#include "agent/proc/memory.h"

namespace pagewarden {
namespace {

constexpr uint64_t kMaxSlots = 1 << 26;
constexpr size_t kBatch = 4096;

bool Holds(const recording::Block& block, uint64_t address) {
  return address >= block.address && address - block.address < block.bytes;
}

}  // namespace

BlockIndex::BlockIndex(std::vector<recording::Block> blocks) {
  for (const recording::Block& block : blocks) {
    if (block.address == 0) continue;
    (block.kind == recording::BlockKind::kHeap ? heap_ : mappings_).push_back(block);
  }
  std::sort(heap_.begin(), heap_.end(),
            [](const auto& a, const auto& b) { return a.address < b.address; });
}

absl::StatusOr<BlockIndex> BlockIndex::Read(pid_t pid, const recording::Process& process) {
  const auto memory = ProcessMemory::Open(pid);
  if (!memory.ok()) return memory.status();
  if (process.block_slots > kMaxSlots) return absl::DataLossError("the table of blocks is forged");
  std::vector<recording::Block> live;
  std::vector<recording::Block> batch(kBatch);
  for (uint64_t i = 0; i < process.block_slots; i += kBatch) {
    const uint64_t count = std::min<uint64_t>(kBatch, process.block_slots - i);
    const size_t bytes = count * sizeof(recording::Block);
    if (memory->Read(process.blocks + i * sizeof(recording::Block), batch.data(), bytes) != bytes) {
      return absl::DataLossError("the table of blocks moved while it was read");
    }
    std::copy_if(batch.begin(), batch.begin() + static_cast<ptrdiff_t>(count),
                 std::back_inserter(live), [](const auto& block) { return block.address != 0; });
  }
  return BlockIndex(std::move(live));
}

const recording::Block* BlockIndex::Find(uint64_t address) const {
  const auto after = std::upper_bound(
      heap_.begin(), heap_.end(), address,
      [](uint64_t at, const recording::Block& block) { return at < block.address; });
  if (after != heap_.begin() && Holds(*(after - 1), address)) return &*(after - 1);
  const auto mapping =
      std::find_if(mappings_.begin(), mappings_.end(),
                   [&](const recording::Block& block) { return Holds(block, address); });
  return mapping == mappings_.end() ? nullptr : &*mapping;
}

}  // namespace pagewarden
