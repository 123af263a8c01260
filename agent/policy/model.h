// SPDX-License-Identifier: Apache-2.0
// Policies as the rest of the agent sees them. The defaults here are the
// defaults of the language: what a ten-line policy does not say is secure.
// docs/policy.md is the reference of the fields.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/policy/diagnostics.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {

inline constexpr uint64_t kDefaultArenaBytes = 1 << 20;

// Where a part of a policy was written; for errors.
struct Located {
  Position at;
};

// The name of something defined elsewhere: an arena or a preset.
struct Reference : Located {
  std::string name;
};

struct Metadata : Located {
  std::string name;
  std::map<std::string, std::string> labels;
};

// Which programs. No binaries: every executable.
struct Selector : Located {
  std::vector<std::string> match_binaries;  // absolute paths
};

// Requests of min to max bytes, both included.
struct SizeRange : Located {
  uint64_t min = 0;
  uint64_t max = UINT64_MAX;
};

// Which allocations: exactly one of `preset`, `during` and `all`, narrowed by `size`.
struct Match : Located {
  std::optional<Reference> preset;
  std::vector<std::string> during;  // exported functions
  std::optional<bool> all;          // false: written so, and refused
  SizeRange size;

  bool IsAll() const { return all.value_or(false); }
};

struct Placement : Located {
  Reference arena;  // empty name: the policy's first arena
};

struct Rule : Located {
  std::string name;
  Match match;
  Placement place;

  // Filled in by ResolveReferences.
  std::vector<std::string> functions;  // of `during` or of the preset; no repeats; none of `all`
  uint32_t arena = 0;                  // index into the policy's arenas
};

enum class CoreDump { kExclude, kInclude };

struct Arena : Located {
  std::string name = "default";
  uint64_t capacity_bytes = kDefaultArenaBytes;  // per process
  bool canary = true;
  CoreDump core_dump = CoreDump::kExclude;
  abi::OnFork on_fork = abi::OnFork::kRelock;
  abi::OnLockFailure on_lock_failure = abi::OnLockFailure::kAllocateUnlocked;
  abi::OnCapacityExhausted on_capacity_exhausted = abi::OnCapacityExhausted::kAllocateUnlocked;
  std::vector<abi::Backing> backing = {abi::Backing::kLockedAnonymous};  // the best first
};

struct AllocationSpec : Located {
  abi::Mode mode = abi::Mode::kEnforce;
  int32_t priority = 0;  // of several policies for one program, the highest wins
  Selector selector;
  std::vector<Rule> rules;
  std::vector<Arena> arenas;
};

struct AllocationPolicy : Located {
  Metadata metadata;
  AllocationSpec spec;
};

struct PresetSpec : Located {
  std::vector<std::string> during;
};

// A named list of functions for rules to refer to.
struct Preset : Located {
  Metadata metadata;
  PresetSpec spec;
};

struct PolicySet {
  std::vector<AllocationPolicy> policies;
  std::vector<Preset> presets;
};

// Bytes of all arenas: what one process locks at its start.
uint64_t TotalCapacity(const AllocationPolicy& policy);

// Whether an arena may come to lock more than that.
bool MayGrow(const AllocationPolicy& policy);

// Whether the policy is for the executable of this path.
bool Selects(const AllocationPolicy& policy, const std::string& executable);

// Which of two policies for one program wins: the higher priority, then the name.
bool ComesBefore(const AllocationPolicy& a, const AllocationPolicy& b);

}  // namespace pagewarden
