// SPDX-License-Identifier: Apache-2.0
// Finds where aligned words of memory occur in the needles.
//
// Every window of every needle is indexed, so only the aligned words of the
// memory need a look: a run of 2·sizeof(Word) − 1 intact bytes holds at least
// one. A bitmap answers for almost all of them. Neither holds secret bytes:
// the bitmap has hashes, the table positions in the needles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "agent/proof/needles.h"
#include "agent/proof/secret_bytes.h"

namespace pagewarden {

template <typename Word>
class WindowTable {
 public:
  // A run this long is sure to be seen.
  static constexpr size_t kSureRun = 2 * sizeof(Word) - 1;

  WindowTable() : filter_(1u << (kFilterBits - 6)), heads_(1u << kHeadBits, kNone) {}

  void Add(uint32_t needle, ByteView bytes) {
    for (size_t offset = 0; offset + sizeof(Word) <= bytes.size(); ++offset) {
      const uint64_t hash = Hash(bytes.data() + offset);
      filter_[hash / 64] |= uint64_t{1} << hash % 64;
      uint32_t& head = heads_[hash >> (kFilterBits - kHeadBits)];
      windows_.push_back({needle, static_cast<uint32_t>(offset), head});
      head = static_cast<uint32_t>(windows_.size() - 1);
    }
  }

  bool empty() const { return windows_.empty(); }

  // Calls probe(position, needle, offset) for each aligned position of `memory`
  // whose word may be the window at that offset: the caller compares.
  template <typename Probe>
  void Scan(ByteView memory, Probe probe) const {
    const unsigned char* const data = memory.data();
    const uint64_t* const filter = filter_.data();
    const size_t words = memory.size() / sizeof(Word);
    for (size_t word = 0; word < words; ++word) {
      const size_t at = word * sizeof(Word);
      const uint64_t hash = Hash(data + at);
      if ((filter[hash / 64] >> hash % 64 & 1) == 0) continue;
      for (uint32_t i = heads_[hash >> (kFilterBits - kHeadBits)]; i != kNone;
           i = windows_[i].next) {
        probe(at, windows_[i].needle, windows_[i].offset);
      }
    }
  }

 private:
  // 64 KiB: in the second-level cache. A quarter of that would stay in the first,
  // but stop three times as many words, and the search was slower by 40 %.
  static constexpr int kFilterBits = 19;
  static constexpr int kHeadBits = 13;
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Window {
    uint32_t needle;
    uint32_t offset;
    uint32_t next;
  };

  static uint64_t Hash(const unsigned char* data) {
    Word word;
    memcpy(&word, data, sizeof(word));
    return word * uint64_t{0x9e3779b97f4a7c15} >> (64 - kFilterBits);
  }

  std::vector<uint64_t> filter_;
  std::vector<uint32_t> heads_;
  std::vector<Window> windows_;
};

}  // namespace pagewarden
