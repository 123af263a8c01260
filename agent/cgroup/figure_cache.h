// SPDX-License-Identifier: Apache-2.0
// What is read from the files of each cgroup, kept from one audit to the next: reading
// costs the kernel and us twenty microseconds a file, and a host may have thousands.
//
//   FigureCache<Unevictable> cache;
//   cache.StartRound();
//   for (const CgroupRow& row : by_path) cache.Get(row.path, row.sign, [&](Unevictable& figure) {
//     figure = hierarchy.UnevictableOf(row.path);
//   });
//   cache.EndRound();
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "agent/base/turns.h"

namespace pagewarden {

// Cgroups that have not changed and are read again all the same, in turn, in a round.
inline constexpr size_t kFiguresPerRound = 100;

// Not thread-safe.
template <typename Figure>
class FigureCache {
 public:
  void StartRound() {
    ++round_;
    turns_.StartRound();
  }

  // In ascending order of paths. `sign`: that of CgroupRow. Reads where the cgroup is new,
  // or its sign was another one in one of the last rounds, or it is its turn; `read` gets
  // the figure as it was. Valid until the next call.
  const Figure& Get(const std::string& path, uint64_t sign, absl::FunctionRef<void(Figure&)> read) {
    const auto [found, is_new] = entries_.try_emplace(path);
    Entry& entry = found->second;
    if (is_new || entry.sign != sign) entry.reads_left = kReadsAfterChange;
    entry.sign = sign;
    entry.round = round_;
    const bool is_next = turns_.IsNext(path);
    if (entry.reads_left > 0 || is_next) read(entry.figure);
    if (entry.reads_left > 0) --entry.reads_left;
    return entry.figure;
  }

  // Null: Get was not asked about it in the last round that has ended.
  const Figure* Find(const std::string& path) const {
    const auto found = entries_.find(path);
    return found == entries_.end() ? nullptr : &found->second.figure;
  }

  // Forgets what Get was not asked about since StartRound.
  void EndRound() {
    absl::erase_if(entries_, [this](const auto& entry) { return entry.second.round != round_; });
  }

 private:
  // The kernel brings memory.stat up to date two seconds late (v2), and pages move to the
  // unevictable list after they have been locked.
  static constexpr int kReadsAfterChange = 3;

  struct Entry {
    Figure figure = {};
    uint64_t sign = 0;
    uint64_t round = 0;
    int reads_left = 0;
  };

  absl::flat_hash_map<std::string, Entry> entries_;
  Turns turns_{kFiguresPerRound};
  uint64_t round_ = 0;
};

}  // namespace pagewarden
