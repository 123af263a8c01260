// SPDX-License-Identifier: Apache-2.0
#include "agent/shim/shim_state.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "agent/base/call_within.h"
#include "agent/proc/memory.h"
#include "agent/shim/ledger_fields.h"
#include "agent/shim/ledger_validation.h"
#include "preload/abi/ledger.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;
// The shim's writable data is a few pages; a forged mapping may be any size.
constexpr uint64_t kMaxPagesSearched = 1024;
constexpr char kShimName[] = "libpagewarden.so";
// Memory that is swapped out comes within it.
constexpr absl::Duration kPatience = absl::Seconds(1);

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

// How much of [base, base + bytes) is mapped, in bytes.
uint64_t MappedBytes(uint64_t base, uint64_t bytes, const std::vector<Mapping>& mappings) {
  uint64_t mapped = 0;
  for (const Mapping& mapping : mappings) {
    const uint64_t start = std::max(base, mapping.start);
    const uint64_t end = std::min(base + bytes, mapping.end);
    if (start < end) mapped += end - start;
  }
  return mapped;
}

// The ledger of a raw clone says what its parent did: an arena that was not passed
// on (MADV_DONTFORK) is still in it, but not in the address space.
absl::Status CompareWithMappings(const std::vector<Mapping>& mappings, ShimState& state) {
  for (ShimArena& arena : state.arenas) {
    if (!arena.IsInherited()) continue;
    const uint64_t mapped = MappedBytes(arena.base, arena.capacity_bytes, mappings);
    if (mapped == arena.capacity_bytes) continue;
    if (mapped != 0) return BrokenLedger("arena is not mapped");
    arena.backing = abi::ArenaBacking::kNotInherited;
    arena.locked_bytes = 0;
  }
  return absl::OkStatus();
}

// `bytes` is bounded by the header's validation. Shorter where memory is unreadable.
std::string ReadTable(const ProcessMemory& memory, uint64_t address, uint64_t bytes) {
  std::string table(bytes, '\0');
  table.resize(memory.Read(address, table.data(), table.size()));
  return table;
}

absl::StatusOr<ShimState> ReadLedger(const ProcessMemory& memory, const std::string& bytes,
                                     uint64_t address, const std::vector<Mapping>& mappings) {
  absl::StatusOr<LedgerHeader> header = ValidateLedger(bytes, address);
  if (!header.ok()) return header.status();
  ShimState& state = header->state;
  if (auto status = CompareWithMappings(mappings, state); !status.ok()) return status;
  const LedgerTables& tables = header->tables;
  const std::string tags = ReadTable(memory, tables.tags_base, tables.TagBytes());
  const std::string books = ReadTable(memory, tables.books_base, tables.BookBytes());
  if (auto status = AddTags(tags, books, tables, state); !status.ok()) return status;
  return std::move(state);
}

using MaybeShim = absl::StatusOr<std::optional<ShimState>>;

MaybeShim ReadLoadedShim(pid_t pid, const std::vector<Mapping>& mappings) {
  const auto memory = ProcessMemory::Open(pid);
  if (!memory.ok()) return memory.status();
  uint64_t pages_left = kMaxPagesSearched;
  for (const Mapping& mapping : mappings) {
    if (!IsShim(mapping.name) || !mapping.writable || mapping.shared) continue;
    for (uint64_t page = mapping.start; page < mapping.end && pages_left > 0;
         page += kPageBytes, --pages_left) {
      const std::string bytes = ReadCandidate(*memory, page, mapping.end);
      if (bytes.empty()) continue;
      return ReadLedger(*memory, bytes, page, mappings);
    }
  }
  return absl::DataLossError("the shim is mapped, but has no ledger");
}

}  // namespace

const char* BackingName(abi::ArenaBacking backing) {
  switch (backing) {
    case abi::ArenaBacking::kUnlocked:
      return "Unlocked";
    case abi::ArenaBacking::kLockedAnonymous:
      return "LockedAnonymous";
    case abi::ArenaBacking::kSecretMemory:
      return "SecretMemory";
    case abi::ArenaBacking::kNotInherited:
      return "NotInherited";
  }
  return "";
}

absl::StatusOr<std::optional<ShimState>> ReadShimState(pid_t pid,
                                                       const std::vector<Mapping>& mappings) {
  const bool is_loaded = std::any_of(mappings.begin(), mappings.end(),
                                     [](const Mapping& one) { return IsShim(one.name); });
  if (!is_loaded) return std::nullopt;
  // Any process may call a mapping so.
  const auto shim = std::make_shared<MaybeShim>(std::nullopt);
  const bool ended = CallWithin(pid, kPatience, [=] { *shim = ReadLoadedShim(pid, mappings); });
  if (!ended) return absl::DeadlineExceededError("its memory makes readers wait");
  return *std::move(shim);
}

}  // namespace pagewarden
