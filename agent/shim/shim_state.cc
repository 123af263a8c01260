// SPDX-License-Identifier: Apache-2.0
#include "agent/shim/shim_state.h"

#include <algorithm>

#include "absl/strings/strip.h"
#include "agent/proc/memory.h"
#include "agent/shim/ledger_validation.h"
#include "preload/abi/ledger.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;
// The shim's writable data is a few pages; a forged mapping may be any size.
constexpr uint64_t kMaxPagesSearched = 1024;
constexpr char kShimName[] = "libpagewarden.so";

bool IsShim(absl::string_view name) {
  absl::ConsumeSuffix(&name, " (deleted)");  // upgraded under a running process
  return absl::ConsumeSuffix(&name, kShimName) && !name.empty() && name.back() == '/';
}

// The ledger's bytes from one page that starts like one, or empty.
std::string ReadCandidate(const ProcessMemory& memory, uint64_t address, uint64_t end) {
  std::string bytes(std::min<uint64_t>(sizeof(abi::Ledger), end - address), '\0');
  bytes.resize(memory.Read(address, bytes.data(), bytes.size()));
  return LooksLikeLedger(bytes, address) ? bytes : "";
}

// Fences lie below the end of the user's half of the address space and, like any
// reservation, in mappings of the process.
bool IsMapped(uint64_t base, uint64_t bytes, const std::vector<Mapping>& mappings) {
  uint64_t covered = base;  // guards and data are neighbours: no hole between
  for (const Mapping& mapping : mappings) {
    if (mapping.start <= covered && covered < mapping.end) covered = mapping.end;
    if (covered - base >= bytes) return true;
  }
  return bytes == 0;
}

}  // namespace

absl::StatusOr<std::optional<ShimState>> ReadShimState(pid_t pid,
                                                       const std::vector<Mapping>& mappings) {
  std::optional<ProcessMemory> memory;
  bool loaded = false;
  uint64_t pages_left = kMaxPagesSearched;
  for (const Mapping& mapping : mappings) {
    if (!IsShim(mapping.name)) continue;
    loaded = true;
    if (!mapping.writable || mapping.shared) continue;
    if (!memory) {
      auto opened = ProcessMemory::Open(pid);
      if (!opened.ok()) return opened.status();
      memory = *std::move(opened);
    }
    for (uint64_t page = mapping.start; page < mapping.end && pages_left > 0;
         page += kPageBytes, --pages_left) {
      const std::string bytes = ReadCandidate(*memory, page, mapping.end);
      if (bytes.empty()) continue;
      auto state = ValidateLedger(bytes, page);
      if (!state.ok()) return state.status();
      if (!IsMapped(state->fence_base, state->fence_bytes, mappings)) {
        return absl::DataLossError("the shim's ledger is not valid: fence is not mapped");
      }
      return *std::move(state);
    }
  }
  if (loaded) return absl::DataLossError("the shim is mapped, but has no ledger");
  return std::nullopt;
}

}  // namespace pagewarden
