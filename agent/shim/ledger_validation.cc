// SPDX-License-Identifier: Apache-2.0
#include "agent/shim/ledger_validation.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "preload/abi/ledger.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {
namespace {

using abi::Ledger;
using abi::LedgerArena;

absl::Status Broken(absl::string_view field) {
  return absl::DataLossError(absl::StrCat("the shim's ledger is not valid: ", field));
}

// NUL-terminated printable ASCII.
template <size_t N>
bool ReadText(const char (&field)[N], std::string& text) {
  const char* const end = std::find(field, field + N, '\0');
  if (end == field + N) return false;
  text.assign(field, end);
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
}

// The values come from another process: an enum may hold any number.
bool ModeName(uint32_t mode, std::string& name) {
  switch (static_cast<abi::Mode>(mode)) {
    case abi::Mode::kDisabled:
      name = "Disabled";
      return true;
    case abi::Mode::kAudit:
      name = "Audit";
      return true;
    case abi::Mode::kEnforce:
      name = "Enforce";
      return true;
  }
  return false;
}

bool UncoveredReason(abi::Uncovered uncovered, std::string& reason) {
  static constexpr const char* kReasons[] = {
      "",         "disabled",       "no_image",    "image_untrusted",  "image_invalid",
      "shadowed", "no_reservation", "lock_failed", "no_next_allocator"};
  const auto index = static_cast<uint32_t>(uncovered);
  if (index >= sizeof(kReasons) / sizeof(kReasons[0])) return false;
  reason = kReasons[index];
  return true;
}

bool IsInside(uint64_t base, uint64_t bytes, uint64_t outer_base, uint64_t outer_bytes) {
  return base >= outer_base && base - outer_base <= outer_bytes &&
         bytes <= outer_bytes - (base - outer_base);
}

absl::Status ReadArena(const Ledger& ledger, const LedgerArena& from, ShimArena& arena) {
  if (!ReadText(from.name, arena.name)) return Broken("arena name");
  if (!IsInside(from.base, from.capacity_bytes, ledger.fence_base, ledger.fence_bytes)) {
    return Broken("arena outside the fence");
  }
  if (from.locked_bytes > from.capacity_bytes) return Broken("arena locked_bytes");
  if (from.used_bytes > from.capacity_bytes) return Broken("arena used_bytes");
  if (from.peak_used_bytes > from.capacity_bytes) return Broken("arena peak_used_bytes");
  arena.base = from.base;
  arena.capacity_bytes = from.capacity_bytes;
  arena.used_bytes = from.used_bytes;
  arena.peak_used_bytes = from.peak_used_bytes;
  arena.locked_bytes = from.locked_bytes;
  arena.live_allocations = from.live_allocations;
  arena.total_allocations = from.total_allocations;
  for (const uint64_t count : from.fallbacks) {
    const uint64_t room = std::numeric_limits<uint64_t>::max() - arena.fallbacks;
    arena.fallbacks += std::min(count, room);
  }
  return absl::OkStatus();
}

absl::Status CheckHeader(const Ledger& ledger, uint64_t address) {
  if (memcmp(ledger.magic, abi::kLedgerMagic, sizeof(ledger.magic)) != 0) return Broken("magic");
  if (ledger.version != abi::kLedgerVersion) return Broken("version");
  if (ledger.bytes != sizeof(Ledger)) return Broken("bytes");
  if (ledger.self != address) return Broken("self");
  if (ledger.arena_count > abi::kMaxLedgerArenas) return Broken("arena_count");
  if (ledger.fence_base > std::numeric_limits<uint64_t>::max() - ledger.fence_bytes) {
    return Broken("fence range");
  }
  if (static_cast<uint32_t>(ledger.state) > static_cast<uint32_t>(abi::ShimState::kUncovered)) {
    return Broken("state");
  }
  return absl::OkStatus();
}

}  // namespace

bool LooksLikeLedger(absl::string_view bytes, uint64_t address) {
  uint64_t self = 0;
  if (bytes.size() < offsetof(Ledger, self) + sizeof(self)) return false;
  memcpy(&self, bytes.data() + offsetof(Ledger, self), sizeof(self));
  return memcmp(bytes.data(), abi::kLedgerMagic, sizeof(abi::kLedgerMagic)) == 0 && self == address;
}

absl::StatusOr<ShimState> ValidateLedger(absl::string_view bytes, uint64_t address) {
  if (bytes.size() < sizeof(Ledger)) return Broken("truncated");
  Ledger ledger;
  memcpy(&ledger, bytes.data(), sizeof(ledger));
  if (absl::Status status = CheckHeader(ledger, address); !status.ok()) return status;

  ShimState state;
  if (!ReadText(ledger.policy, state.policy)) return Broken("policy name");
  if (!ModeName(ledger.mode, state.mode)) return Broken("mode");
  if (!UncoveredReason(ledger.uncovered, state.uncovered)) return Broken("uncovered");
  state.active = ledger.state == abi::ShimState::kActive;
  state.fence_base = ledger.fence_base;
  state.fence_bytes = ledger.fence_bytes;
  state.arenas.resize(ledger.arena_count);
  for (uint32_t i = 0; i < ledger.arena_count; ++i) {
    if (absl::Status status = ReadArena(ledger, ledger.arenas[i], state.arenas[i]); !status.ok()) {
      return status;
    }
  }
  return state;
}

}  // namespace pagewarden
