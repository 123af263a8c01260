// SPDX-License-Identifier: Apache-2.0
// The counting side of abi/ledger.h's tables. A row's counters are plain words
// with one writer; the shared row's are written under its arena's lock.
#pragma once

#include <stdint.h>

#include "preload/abi/ledger.h"
#include "preload/base/ledger.h"
#include "preload/fence/thread_rows.h"

namespace pagewarden {

class Books {
 public:
  Books() = default;
  Books(abi::LedgerTag* tags, abi::LedgerBook* rows, uint32_t tag_count)
      : tags_(tags), rows_(rows), tag_count_(tag_count) {}

  void CountIn(uint32_t row, uint32_t tag, uint64_t bytes) {
    abi::LedgerBook& book = At(row, tag);
    Store(book.allocations, book.allocations + 1);
    Store(book.bytes_in, book.bytes_in + bytes);
  }

  void CountOut(uint32_t row, uint32_t tag, uint64_t bytes) {
    abi::LedgerBook& book = At(row, tag);
    Store(book.frees, book.frees + 1);
    Store(book.bytes_out, book.bytes_out + bytes);
  }

  // Takes the tag's peak from what is live now and `coming`. Under the lock of
  // the tag's arena.
  void SamplePeak(uint32_t tag, uint64_t coming) {
    abi::LedgerTag& of = tags_[tag];
    const abi::LedgerBook sum = Sum(tag);
    const uint64_t live = sum.bytes_in > sum.bytes_out ? sum.bytes_in - sum.bytes_out : 0;
    if (live + coming > of.peak_bytes) Store(of.peak_bytes, live + coming);
  }

  // All rows of one tag together.
  abi::LedgerBook Sum(uint32_t tag) const {
    abi::LedgerBook sum = {};
    for (uint32_t row = RowsInUse(); row-- > 0;) {
      const abi::LedgerBook& book = At(row, tag);
      sum.frees += Load(book.frees);
      sum.bytes_out += Load(book.bytes_out);
      sum.allocations += Load(book.allocations);
      sum.bytes_in += Load(book.bytes_in);
    }
    return sum;
  }

  abi::LedgerTag& tag(uint32_t i) const { return tags_[i]; }
  uint32_t tag_count() const { return tag_count_; }

 private:
  abi::LedgerBook& At(uint32_t row, uint32_t tag) const { return rows_[row * tag_count_ + tag]; }

  abi::LedgerTag* tags_ = nullptr;
  abi::LedgerBook* rows_ = nullptr;
  uint32_t tag_count_ = 0;
};

}  // namespace pagewarden
