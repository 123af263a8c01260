// SPDX-License-Identifier: Apache-2.0
#include "agent/shim/ledger_validation.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

#include "agent/shim/ledger_fields.h"
#include "preload/abi/ledger.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {
namespace {

using abi::Ledger;
using abi::LedgerArena;

constexpr uint32_t kLargestErrno = 4095;  // what a system call can return

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
      "",         "disabled",       "no_image",    "image_untrusted",   "image_invalid",
      "shadowed", "no_reservation", "lock_failed", "no_next_allocator", "no_fork_handler",
      "sanitizer"};
  const auto index = static_cast<uint32_t>(uncovered);
  if (index >= std::size(kReasons)) return false;
  reason = kReasons[index];
  return true;
}

bool IsInside(uint64_t base, uint64_t bytes, uint64_t outer_base, uint64_t outer_bytes) {
  return base >= outer_base && base - outer_base <= outer_bytes &&
         bytes <= outer_bytes - (base - outer_base);
}

absl::Status ReadArena(const Ledger& ledger, const LedgerArena& from, ShimArena& arena) {
  if (!ReadLedgerText(from.name, arena.name)) return BrokenLedger("arena name");
  if (!IsInside(from.base, from.capacity_bytes, ledger.fence_base, ledger.fence_bytes)) {
    return BrokenLedger("arena outside the fence");
  }
  if (from.locked_bytes > from.capacity_bytes) return BrokenLedger("arena locked_bytes");
  if (from.page_bytes > from.capacity_bytes) return BrokenLedger("arena page_bytes");
  if (from.peak_page_bytes > from.capacity_bytes) return BrokenLedger("arena peak_page_bytes");
  if (static_cast<uint32_t>(from.backing) >
      static_cast<uint32_t>(abi::ArenaBacking::kNotInherited)) {
    return BrokenLedger("arena backing");
  }
  arena.base = from.base;
  arena.capacity_bytes = from.capacity_bytes;
  arena.locked_bytes = from.locked_bytes;
  arena.page_bytes = from.page_bytes;
  arena.peak_page_bytes = from.peak_page_bytes;
  arena.growths = from.growths;
  arena.backing = from.backing;
  return absl::OkStatus();
}

absl::Status CheckHeader(const Ledger& ledger, uint64_t address) {
  if (memcmp(ledger.magic, abi::kLedgerMagic, sizeof(ledger.magic)) != 0)
    return BrokenLedger("magic");
  if (ledger.version != abi::kLedgerVersion) return BrokenLedger("version");
  if (ledger.bytes != sizeof(Ledger)) return BrokenLedger("bytes");
  if (ledger.self != address) return BrokenLedger("self");
  if (ledger.arena_count > abi::kMaxLedgerArenas) return BrokenLedger("arena_count");
  if (ledger.fence_base > std::numeric_limits<uint64_t>::max() - ledger.fence_bytes) {
    return BrokenLedger("fence range");
  }
  if (static_cast<uint32_t>(ledger.state) > static_cast<uint32_t>(abi::ShimState::kUncovered)) {
    return BrokenLedger("state");
  }
  if (ledger.lock_errno > kLargestErrno) return BrokenLedger("lock_errno");
  if (static_cast<uint32_t>(ledger.follows) > static_cast<uint32_t>(abi::Follows::kNoMore)) {
    return BrokenLedger("follows");
  }
  if (ledger.pin_errno > kLargestErrno) return BrokenLedger("pin_errno");
  return absl::OkStatus();
}

absl::StatusOr<LedgerTables> ReadTables(const Ledger& ledger) {
  LedgerTables tables;
  tables.tags_base = ledger.tags_base;
  tables.books_base = ledger.books_base;
  tables.tag_count = ledger.tag_count;
  tables.rule_count = ledger.rule_count;
  tables.book_rows = ledger.book_rows;
  if (tables.tag_count > abi::kMaxLedgerTags) return BrokenLedger("tag_count");
  if (tables.rule_count > tables.tag_count) return BrokenLedger("rule_count");
  if (tables.book_rows > abi::kMaxBookRows) return BrokenLedger("book_rows");
  const auto is_in_fence = [&ledger](uint64_t base, uint64_t bytes) {
    return bytes == 0 || IsInside(base, bytes, ledger.fence_base, ledger.fence_bytes);
  };
  if (!is_in_fence(tables.tags_base, tables.TagBytes())) return BrokenLedger("tags_base");
  if (!is_in_fence(tables.books_base, tables.BookBytes())) return BrokenLedger("books_base");
  return tables;
}

}  // namespace

bool LooksLikeLedger(absl::string_view bytes, uint64_t address) {
  uint64_t self = 0;
  if (bytes.size() < offsetof(Ledger, self) + sizeof(self)) return false;
  memcpy(&self, bytes.data() + offsetof(Ledger, self), sizeof(self));
  return memcmp(bytes.data(), abi::kLedgerMagic, sizeof(abi::kLedgerMagic)) == 0 && self == address;
}

absl::StatusOr<LedgerHeader> ValidateLedger(absl::string_view bytes, uint64_t address) {
  if (bytes.size() < sizeof(Ledger)) return BrokenLedger("truncated");
  Ledger ledger;
  memcpy(&ledger, bytes.data(), sizeof(ledger));
  if (absl::Status status = CheckHeader(ledger, address); !status.ok()) return status;
  const absl::StatusOr<LedgerTables> tables = ReadTables(ledger);
  if (!tables.ok()) return tables.status();

  ShimState state;
  state.address = address;
  if (!ReadLedgerText(ledger.policy, state.policy)) return BrokenLedger("policy name");
  if (!ModeName(ledger.mode, state.mode)) return BrokenLedger("mode");
  if (!UncoveredReason(ledger.uncovered, state.uncovered)) return BrokenLedger("uncovered");
  state.active = ledger.state == abi::ShimState::kActive;
  state.fence_base = ledger.fence_base;
  state.fence_bytes = ledger.fence_bytes;
  state.relocks = ledger.relocks;
  state.lock_errors = ledger.lock_errors;
  state.lock_errno = static_cast<int>(ledger.lock_errno);
  state.namespaces = ledger.namespaces;
  state.reentered_frees = ledger.reentered_frees;
  state.functions_in_executable = ledger.scopes_in_executable;
  state.files_missed = ledger.files_missed;
  state.generation = ledger.generation;
  state.rules_waiting = ledger.rules_waiting;
  state.images_refused = ledger.images_refused;
  state.follows_no_more = ledger.follows == abi::Follows::kNoMore;
  state.pinned_bytes = ledger.pinned_bytes;
  state.unpinned_bytes = ledger.unpinned_bytes;
  state.pin_errors = ledger.pin_errors;
  state.pin_errno = static_cast<int>(ledger.pin_errno);
  std::copy(std::begin(ledger.violations), std::end(ledger.violations), state.violations.begin());
  state.arenas.resize(ledger.arena_count);
  for (uint32_t i = 0; i < ledger.arena_count; ++i) {
    if (absl::Status status = ReadArena(ledger, ledger.arenas[i], state.arenas[i]); !status.ok()) {
      return status;
    }
  }
  return LedgerHeader{std::move(state), *tables};
}

}  // namespace pagewarden
