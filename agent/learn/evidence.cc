// SPDX-License-Identifier: Apache-2.0
#include "agent/learn/evidence.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/learn/block_index.h"
#include "agent/proc/mappings.h"

namespace pagewarden {
namespace {

std::string FileName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Attributes the copies of one process after another.
class Collector {
 public:
  explicit Collector(const RecordingFile& recording)
      : recording_(recording), stacks_(recording.Stacks()), modules_(recording.Modules()) {
    for (uint32_t i = 0; i < stacks_.size(); ++i) {
      if (stacks_[i].hits == 0) continue;
      by_stack_[i].stale = stacks_[i].hits;
      by_stack_[i].size_classes = stacks_[i].hit_classes;
    }
  }

  void Add(const FoundCopy& copy) {
    Enter(copy.pid);
    if (copy.kind == PlaceKind::kEnvironment) {
      ++evidence_.in_environment;
    } else if (copy.kind == PlaceKind::kStack || copy.kind == PlaceKind::kThreadStack) {
      ++evidence_.on_stacks;
    } else if (copy.kind == PlaceKind::kData) {
      ++evidence_.data_modules[DataModule(copy.address)];
    } else if (!AddBlock(copy)) {
      ++unexplained_[absl::StrCat(PlaceKindName(copy.kind), " memory (", copy.mapping, ")")];
    }
  }

  Evidence Finish() {
    for (auto& [index, stack] : by_stack_) {
      stack.stack = index;
      evidence_.stacks.push_back(stack);
    }
    for (const auto& [what, count] : unexplained_) {
      evidence_.unexplained.push_back(absl::StrCat(count, count == 1 ? " copy in " : " copies in ",
                                                   what,
                                                   ": nobody was seen asking for this memory"));
    }
    return std::move(evidence_);
  }

 private:
  void Enter(pid_t pid) {
    if (pid == pid_) return;
    pid_ = pid;
    blocks_.reset();
    mappings_.clear();
    if (auto mappings = ReadMappingsWithoutFlags(pid); mappings.ok()) mappings_ = *mappings;
    const auto process = recording_.ProcessOf(pid);
    if (!process.has_value()) return;
    if (auto blocks = BlockIndex::Read(pid, *process); blocks.ok()) blocks_ = *std::move(blocks);
  }

  bool AddBlock(const FoundCopy& copy) {
    const recording::Block* block = blocks_.has_value() ? blocks_->Find(copy.address) : nullptr;
    if (block == nullptr || block->stack >= stacks_.size()) return false;
    if (stacks_[block->stack].depth == 0) return false;
    if (block->kind == recording::BlockKind::kHeap) {
      StackEvidence& found = by_stack_[block->stack];
      ++found.live;
      found.size_classes |= uint64_t{1} << recording::SizeClass(block->requested);
      return true;
    }
    PoolEvidence& pool = evidence_.mapping_modules[MapperOf(*block)];
    ++pool.copies;
    uint64_t bytes = 0;
    for (const recording::Block& mapping : blocks_->mappings()) {
      if (MapperOf(mapping) == MapperOf(*block)) bytes += mapping.bytes;
    }
    pool.bytes = std::max(pool.bytes, bytes);
    return true;
  }

  // The file whose code asked for it; empty: unknown.
  std::string MapperOf(const recording::Block& block) const {
    if (block.stack >= stacks_.size() || stacks_[block.stack].depth == 0) return "";
    const recording::Module& module = modules_[stacks_[block.stack].frames[0].module];
    return FileName(module.path);
  }

  // Static data without a file's bytes (.bss) follow those with.
  std::string DataModule(uint64_t address) const {
    std::string module;
    for (const Mapping& mapping : mappings_) {
      if (mapping.start > address) break;
      if (absl::StartsWith(mapping.name, "/")) module = FileName(mapping.name);
    }
    return module;
  }

  const RecordingFile& recording_;
  const std::vector<recording::Stack> stacks_;
  const std::vector<recording::Module> modules_;
  std::map<uint32_t, StackEvidence> by_stack_;
  std::map<std::string, uint64_t> unexplained_;
  Evidence evidence_;
  pid_t pid_ = 0;
  std::optional<BlockIndex> blocks_;
  std::vector<Mapping> mappings_;
};

}  // namespace

Evidence CollectEvidence(const VerifyResult& result, const RecordingFile& recording) {
  Collector collector(recording);
  for (const FoundCopy& copy : result.copies) {
    if (!copy.fenced) collector.Add(copy);
  }
  return collector.Finish();
}

}  // namespace pagewarden
