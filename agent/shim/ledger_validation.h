// SPDX-License-Identifier: Apache-2.0
// Checks the bytes of a ledger that another process wrote, and may have forged.
//
//   auto header = ValidateLedger(ledger_bytes, address);
//   // read header->tables from the process
//   absl::Status status = AddTags(tag_bytes, book_bytes, header->tables, header->state);
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/shim/shim_state.h"

namespace pagewarden {

// Where the tables of a valid header lie: inside its fence, and small enough to
// read as a whole (at most 2.2 MiB).
struct LedgerTables {
  uint64_t tags_base = 0;
  uint64_t books_base = 0;
  uint32_t tag_count = 0;
  uint32_t rule_count = 0;
  uint32_t book_rows = 0;

  uint64_t TagBytes() const;
  uint64_t BookBytes() const;
};

struct LedgerHeader {
  ShimState state;  // without tags and what follows from them
  LedgerTables tables;
};

// True where `bytes` start like a ledger at `address`: the magic, and `self`.
bool LooksLikeLedger(absl::string_view bytes, uint64_t address);

// `bytes` as read from `address` of the process. DataLoss: a field breaks the
// contract of preload/abi/ledger.h; the message names the field, not its value.
absl::StatusOr<LedgerHeader> ValidateLedger(absl::string_view bytes, uint64_t address);

// Adds what the tables say to the state of the header they belong to. Sums do not
// wrap, and nothing is more than its arena holds: the rows are read while threads
// write them, and an allocation may be counted on one and freed on another.
// DataLoss: as above, or the sizes do not fit.
absl::Status AddTags(absl::string_view tags, absl::string_view books, const LedgerTables& tables,
                     ShimState& state);

}  // namespace pagewarden
