// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/model.h"

#include <algorithm>

namespace pagewarden {

const std::vector<Caller>& DefaultTransparent() {
  static const auto* callers = new std::vector<Caller>{
      {{}, "libc.so*", {}},
      {{}, "ld-*.so*", {}},  // musl's libc is its loader
      {{}, "libstdc++.so*", {}},
      {{}, "libc++*.so*", {}},
      {{}, "libglib-2.0.so*", {"g_*alloc*", "g_str*", "g_memdup*", "g_slice_*"}},
      {{}, "libcrypto.so*", {"CRYPTO_*"}},
      {{}, "libgcrypt.so*", {"gcry_*alloc*", "gcry_*strdup*"}},
      {{}, "libgpg-error.so*", {"gpgrt_*alloc*", "gpgrt_*strdup*"}},
  };
  return *callers;
}

uint64_t TotalCapacity(const AllocationPolicy& policy) {
  uint64_t bytes = 0;
  for (const Arena& arena : policy.spec.arenas) bytes += arena.capacity_bytes;
  return bytes;
}

namespace {

// Then the shim builds the arena only when the program asks for it by name.
bool OnlyPins(const AllocationSpec& spec) {
  return spec.rules.empty() && spec.arenas.size() == 1 &&
         spec.arenas[0].capacity_bytes == kDefaultArenaBytes &&
         spec.arenas[0].backing.front() == abi::Backing::kLockedAnonymous &&
         spec.arenas[0].on_capacity_exhausted == abi::OnCapacityExhausted::kAllocateUnlocked;
}

}  // namespace

uint64_t LockedAtStart(const AllocationPolicy& policy) {
  const uint64_t arenas = OnlyPins(policy.spec) ? 0 : TotalCapacity(policy);
  return arenas + policy.spec.pin.stack_bytes;
}

bool MayGrow(const AllocationPolicy& policy) {
  return std::any_of(policy.spec.arenas.begin(), policy.spec.arenas.end(), [](const Arena& arena) {
    return arena.on_capacity_exhausted == abi::OnCapacityExhausted::kGrow;
  });
}

bool Selects(const AllocationPolicy& policy, const std::string& executable) {
  const std::vector<std::string>& binaries = policy.spec.selector.match_binaries;
  return binaries.empty() ||
         std::find(binaries.begin(), binaries.end(), executable) != binaries.end();
}

bool ComesBefore(const AllocationPolicy& a, const AllocationPolicy& b) {
  if (a.spec.priority != b.spec.priority) return a.spec.priority > b.spec.priority;
  return a.metadata.name < b.metadata.name;
}

}  // namespace pagewarden
