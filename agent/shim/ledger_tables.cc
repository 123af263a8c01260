// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "agent/shim/ledger_fields.h"
#include "agent/shim/ledger_validation.h"

namespace pagewarden {
namespace {

using abi::LedgerBook;
using abi::LedgerTag;

// Record `index` of a table whose size was checked.
template <typename Record>
Record At(absl::string_view table, size_t index) {
  Record record;
  memcpy(&record, table.data() + index * sizeof(Record), sizeof(Record));
  return record;
}

LedgerBook SumOfRows(absl::string_view books, const LedgerTables& tables, uint32_t tag) {
  LedgerBook sum = {};
  for (size_t row = 0; row < tables.book_rows; ++row) {
    const auto book = At<LedgerBook>(books, row * tables.tag_count + tag);
    AddCapped(sum.allocations, book.allocations);
    AddCapped(sum.frees, book.frees);
    AddCapped(sum.bytes_in, book.bytes_in);
    AddCapped(sum.bytes_out, book.bytes_out);
  }
  return sum;
}

uint64_t Difference(uint64_t in, uint64_t out) { return in > out ? in - out : 0; }

ShimTag TagOf(const LedgerTag& from, const LedgerBook& sum, const ShimArena& arena) {
  ShimTag tag;
  tag.arena = arena.name;
  tag.live_allocations = Difference(sum.allocations, sum.frees);
  tag.live_bytes = std::min(Difference(sum.bytes_in, sum.bytes_out), arena.capacity_bytes);
  // Sampled, so it may lag behind.
  tag.peak_bytes = std::max(std::min(from.peak_bytes, arena.capacity_bytes), tag.live_bytes);
  tag.total_allocations = sum.allocations;
  tag.audited = from.audited;
  std::copy(std::begin(from.fallbacks), std::end(from.fallbacks), tag.fallbacks.begin());
  return tag;
}

void AddToArena(const ShimTag& tag, ShimArena& arena) {
  AddCapped(arena.used_bytes, tag.live_bytes);
  arena.used_bytes = std::min(arena.used_bytes, arena.capacity_bytes);
  AddCapped(arena.live_allocations, tag.live_allocations);
  AddCapped(arena.total_allocations, tag.total_allocations);
  for (size_t reason = 0; reason < tag.fallbacks.size(); ++reason) {
    AddCapped(arena.fallbacks_by_reason[reason], tag.fallbacks[reason]);
    AddCapped(arena.fallbacks, tag.fallbacks[reason]);
  }
}

}  // namespace

uint64_t LedgerTables::TagBytes() const { return uint64_t{tag_count} * sizeof(LedgerTag); }

uint64_t LedgerTables::BookBytes() const {
  return uint64_t{book_rows} * tag_count * sizeof(LedgerBook);
}

absl::Status AddTags(absl::string_view tags, absl::string_view books, const LedgerTables& tables,
                     ShimState& state) {
  if (tags.size() != tables.TagBytes()) return BrokenLedger("tags");
  if (books.size() != tables.BookBytes()) return BrokenLedger("books");
  for (uint32_t i = 0; i < tables.tag_count; ++i) {
    const auto from = At<LedgerTag>(tags, i);
    if (static_cast<uint32_t>(from.kind) > static_cast<uint32_t>(abi::TagKind::kRemovedRule)) {
      return BrokenLedger("tag kind");
    }
    if (from.kind == abi::TagKind::kSpare) continue;
    if (from.arena >= state.arenas.size()) return BrokenLedger("tag arena");
    ShimArena& arena = state.arenas[from.arena];
    ShimTag tag = TagOf(from, SumOfRows(books, tables, i), arena);
    if (!ReadLedgerText(from.name, tag.name)) return BrokenLedger("tag name");
    tag.is_rule = from.kind != abi::TagKind::kArena;
    tag.in_force = from.kind != abi::TagKind::kRemovedRule;
    AddToArena(tag, arena);
    state.tags.push_back(std::move(tag));
  }
  return absl::OkStatus();
}

}  // namespace pagewarden
