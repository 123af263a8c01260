// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/places.h"

#include <utility>

#include "absl/strings/match.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kRedZone = 128;  // below the stack pointer, and still in use

bool Holds(AddressRange range, uint64_t address) {
  return address >= range.start && address < range.end;
}

const Mapping* FindMapping(const std::vector<Mapping>& mappings, uint64_t address) {
  for (const Mapping& mapping : mappings) {
    if (address >= mapping.start && address < mapping.end) return &mapping;
  }
  return nullptr;
}

// A thread's stack ends where its control block does (pthread_create(3) puts it
// on top), however much other memory the kernel has joined to the mapping.
AddressRange StackRange(const Mapping& mapping, const Thread& thread) {
  const bool has_control_block =
      thread.thread_pointer >= thread.stack_pointer && thread.thread_pointer < mapping.end;
  if (!has_control_block) return {mapping.start, mapping.end};
  return {mapping.start, (thread.thread_pointer / kPageBytes + 1) * kPageBytes};
}

}  // namespace

bool IsMemoryOnly(const Mapping& mapping) {
  for (const char* name : {"/dev/shm/", "/dev/zero", "/dev/hugepages/", "/SYSV",
                           "/memfd:", "/secretmem", "/anon_hugepage", "[anon_shmem:"}) {
    if (absl::StartsWith(mapping.name, name)) return true;
  }
  return mapping.name.empty();
}

const char* PlaceKindName(PlaceKind kind) {
  switch (kind) {
    case PlaceKind::kArena:
      return "Arena";
    case PlaceKind::kHeap:
      return "Heap";
    case PlaceKind::kFreedChunk:
      return "FreedChunk";
    case PlaceKind::kStack:
      return "Stack";
    case PlaceKind::kThreadStack:
      return "ThreadStack";
    case PlaceKind::kEnvironment:
      return "Environment";
    case PlaceKind::kData:
      return "Data";
    case PlaceKind::kSharedMemory:
      return "SharedMemory";
    case PlaceKind::kFileMapping:
      return "FileMapping";
    case PlaceKind::kAnonymous:
      return "Anonymous";
  }
  return "";
}

Places::Places(const ProcessView& view, ReadMemory read)
    : view_(view),
      words_(std::move(read)),
      data_(FindElfData(view.mappings, words_)),
      heaps_(GlibcHeaps::Walk(view.mappings, data_, words_)) {
  FindStacks();
}

void Places::FindStacks() {
  for (const Mapping& mapping : view_.mappings) {
    if (mapping.name == "[stack]") stacks_.push_back({{mapping.start, mapping.end}, 0, true});
  }
  for (const Thread& thread : view_.threads) {
    const Mapping* const mapping = FindMapping(view_.mappings, thread.stack_pointer);
    if (mapping == nullptr || !mapping->writable) continue;
    if (mapping->name == "[stack]" && thread.tid == view_.pid && !stacks_.empty()) {
      stacks_.front().pointer = thread.stack_pointer;
      continue;
    }
    stacks_.push_back(
        {StackRange(*mapping, thread), thread.stack_pointer, thread.tid == view_.pid});
  }
}

Place Places::At(uint64_t address) const {
  if (const auto place = InArena(address)) return *place;
  if (Holds(view_.stat.environment, address) || Holds(view_.stat.arguments, address)) {
    return {PlaceKind::kEnvironment, false};
  }
  // A coroutine's stack may be a block of malloc: the block is the better answer.
  if (const auto place = InHeap(address)) return *place;
  if (const auto place = InStack(address)) return *place;
  return InMapping(address);
}

// The fence wipes what is freed in it.
std::optional<Place> Places::InArena(uint64_t address) const {
  if (!view_.shim.has_value()) return std::nullopt;
  for (const ShimArena& arena : view_.shim->arenas) {
    if (address >= arena.base && address - arena.base < arena.capacity_bytes) {
      return Place{PlaceKind::kArena, false};
    }
  }
  return std::nullopt;
}

std::optional<Place> Places::InHeap(uint64_t address) const {
  if (!heaps_.Contains(address)) return std::nullopt;
  switch (heaps_.At(address)) {
    case ChunkState::kFreed:
      return Place{PlaceKind::kFreedChunk, true};
    case ChunkState::kLive:
      return Place{PlaceKind::kHeap, false};
    case ChunkState::kUnknown:
      break;
  }
  return Place{PlaceKind::kHeap, std::nullopt};
}

std::optional<Place> Places::InStack(uint64_t address) const {
  for (const Stack& stack : stacks_) {
    if (!Holds(stack.range, address)) continue;
    Place place{stack.is_main ? PlaceKind::kStack : PlaceKind::kThreadStack, std::nullopt};
    if (stack.pointer != 0) place.stale = address < stack.pointer - kRedZone;
    return place;
  }
  return std::nullopt;
}

Place Places::InMapping(uint64_t address) const {
  const Mapping* const mapping = FindMapping(view_.mappings, address);
  if (mapping == nullptr) return {PlaceKind::kAnonymous, std::nullopt};
  if (FindElfData(data_, address) != nullptr) return {PlaceKind::kData, std::nullopt};
  if (mapping->shared && IsMemoryOnly(*mapping)) return {PlaceKind::kSharedMemory, std::nullopt};
  const bool is_file = absl::StartsWith(mapping->name, "/");
  return {is_file ? PlaceKind::kFileMapping : PlaceKind::kAnonymous, std::nullopt};
}

}  // namespace pagewarden
