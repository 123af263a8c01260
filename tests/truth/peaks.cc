// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/peaks.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace truth {
namespace {

template <typename Map, typename Key>
const pagewarden::Peak* Find(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

absl::StatusOr<Peaks> Peaks::Open() {
  auto found = pagewarden::CgroupHierarchy::Find();
  if (!found.ok()) return found.status();
  auto hierarchy = std::make_unique<pagewarden::CgroupHierarchy>(*std::move(found));
  auto watch = pagewarden::Watch::Open(hierarchy.get(), {});
  if (!watch.ok()) return watch.status();
  return Peaks(std::move(hierarchy), *std::move(watch));
}

void Peaks::Poll(absl::Duration timeout) { events_ += watch_.Poll(timeout).size(); }

pagewarden::HookReport Peaks::hook() const {
  for (const pagewarden::HookReport& report : watch_.hooks()) {
    if (report.question == "peaks") return report;
  }
  return {};
}

// Who never locked anything may be left out.
void Peaks::CompareOne(const std::string& whom, const pagewarden::Peak* peak, uint64_t now,
                       uint64_t book) {
  const uint64_t bytes = peak == nullptr ? 0 : peak->bytes;
  const bool exact = peak == nullptr || peak->exact;
  exact_ += exact;
  comparison_.Equal(whom, exact ? "peak, exact" : "peak, sampled",
                    exact ? book : std::clamp(bytes, now, book), bytes);
}

void Peaks::Compare(const Board& board, const CgroupTree& tree) {
  Poll(absl::ZeroDuration());
  const auto of_processes = watch_.ProcessPeaks();
  for (uint32_t i = 0; i < board.slots; ++i) {
    const Slot& slot = board.of[i];
    const std::string name = absl::StrCat("slot ", i, " pid ", slot.pid.load());
    CompareOne(name, Find(of_processes, slot.pid.load()), slot.locked_bytes, slot.peak_bytes);
  }
  const auto of_cgroups = watch_.CgroupPeaks();
  for (uint32_t i = 0; i < kCgroups; ++i) {
    const CgroupBook& book = board.cgroups[i];
    CompareOne(absl::StrCat("cgroup ", i), Find(of_cgroups, tree.paths[i]), book.locked_bytes,
               book.peak_bytes);
  }
}

}  // namespace truth
