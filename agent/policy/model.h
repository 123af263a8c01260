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

#include "agent/policy/budget_model.h"
#include "agent/policy/selector.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {

inline constexpr uint64_t kDefaultArenaBytes = 1 << 20;

// The name of something defined elsewhere: an arena or a preset.
struct Reference : Located {
  std::string name;
};

struct Metadata : Located {
  std::string name;
  std::map<std::string, std::string> labels;
};

enum class SecureExec { kDeny, kAllow };

struct Selector : ProcessSelector {
  SecureExec secure_exec = SecureExec::kDeny;
};

// A share of the hosts: RolloutBucket (agent/policy/select.h) says which.
struct Rollout : Located {
  int32_t percent = 100;
};

// Requests of min to max bytes, both included.
struct SizeRange : Located {
  uint64_t min = 0;
  uint64_t max = UINT64_MAX;
};

// Functions that ask for memory, by patterns. No functions: all of the module.
struct Caller : Located {
  std::string module;
  std::vector<std::string> functions;
};

// A return address, as an address in the ELF file with this build-id.
struct CodeAddress {
  std::string build_id;  // bytes
  uint64_t offset = 0;
};

// The innermost return addresses of a call, innermost first.
using Signature = std::vector<CodeAddress>;

// Which allocations: exactly one of the forms, `preset` to `all`, narrowed by the rest.
struct Match : Located {
  std::optional<Reference> preset;
  std::vector<std::string> during;  // exported functions
  std::vector<Caller> callers;
  std::vector<Signature> stack;
  std::vector<std::string> read_from;  // patterns of paths
  std::optional<bool> all;             // false: written so, and refused
  SizeRange size;
  std::vector<std::string> threads;  // patterns of thread names; none: every thread

  bool IsAll() const { return all.value_or(false); }
};

struct Placement : Located {
  Reference arena;  // empty name: the policy's first arena
};

struct Rule : Located {
  std::string name;
  int32_t priority = 0;  // among the policy's rules; of equal ones, the first applies
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

// Memory to lock where it is, outside the arenas.
struct Pin : Located {
  bool process = false;               // all of it
  std::vector<std::string> mappings;  // patterns of modules: what their mmap calls return
  std::vector<std::string> data;      // patterns of modules: their writable segments
  uint64_t stack_bytes = 0;           // of each stack, from its top
  bool environment = false;           // arguments and environment
  uint64_t scrub_bytes = 0;           // of the dead stack, zeroed when an extent has ended
};

struct AllocationSpec : Located {
  abi::Mode mode = abi::Mode::kEnforce;
  int32_t priority = 0;  // of several policies for one program, the highest wins
  Selector selector;
  std::vector<Exception> exceptions;
  Rollout rollout;
  std::vector<Rule> rules;
  std::vector<Caller> transparent;  // none: DefaultTransparent()
  std::vector<Arena> arenas;
  Pin pin;
  std::map<std::string, std::string> environment;  // variables that `run` sets
  std::vector<std::string> secrets;  // files; the agent looks for copies of what they hold
};

struct AllocationPolicy : Located {
  Metadata metadata;
  AllocationSpec spec;
};

struct PresetSpec : Located {
  std::vector<std::string> libraries;  // file names of those that export the functions
  std::vector<std::string> during;
};

// A named list of functions for rules to refer to.
struct Preset : Located {
  Metadata metadata;
  PresetSpec spec;
};

struct MemlockBudget : Located {
  Metadata metadata;
  BudgetSpec spec;
};

struct PolicySet {
  std::vector<AllocationPolicy> policies;
  std::vector<MemlockBudget> budgets;
  std::vector<Preset> presets;
};

// Allocation wrappers of the usual libraries: whoever calls them asks for the memory.
const std::vector<Caller>& DefaultTransparent();

// Bytes of all arenas.
uint64_t TotalCapacity(const AllocationPolicy& policy);

// What one process of a program locks at its start, as far as the policy tells: its
// arenas and its main stack.
uint64_t LockedAtStart(const AllocationPolicy& policy);

// Whether an arena may come to lock more than that.
bool MayGrow(const AllocationPolicy& policy);

// Whether the policy is for the executable of this path, as far as that tells.
bool Selects(const AllocationPolicy& policy, const std::string& executable);

// Which of two policies for one program wins: the higher priority, then the name.
bool ComesBefore(const AllocationPolicy& a, const AllocationPolicy& b);

}  // namespace pagewarden
