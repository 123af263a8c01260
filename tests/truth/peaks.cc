// SPDX-License-Identifier: Apache-2.0
#include "tests/truth/peaks.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/cgroup/hierarchy.h"

namespace truth {
namespace {

template <typename Map, typename Key>
const pagewarden::Peak* Find(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

// The kernel's id of a cgroup is the inode of its directory.
uint64_t IdOf(const std::string& directory) {
  struct stat info = {};
  return stat(directory.c_str(), &info) == 0 ? info.st_ino : 0;
}

}  // namespace

absl::StatusOr<Peaks> Peaks::Open() {
  const auto hierarchy = pagewarden::CgroupHierarchy::Find();
  if (!hierarchy.ok()) return hierarchy.status();
  pagewarden::HookReport report;
  auto peaks = pagewarden::LockedPeaks::Open(hierarchy->version(), {}, &report);
  if (!peaks.ok()) return peaks.status();
  return Peaks(*std::move(peaks));
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
  if (absl::Status status = peaks_.Sample(); !status.ok()) comparison_.Fail(status.ToString());
  const auto of_processes = peaks_.ByProcess();
  for (uint32_t i = 0; i < board.slots; ++i) {
    const Slot& slot = board.of[i];
    const std::string name = absl::StrCat("slot ", i, " pid ", slot.pid.load());
    CompareOne(name, Find(of_processes, slot.pid.load()), slot.locked_bytes, slot.peak_bytes);
  }
  const auto of_cgroups = peaks_.ByCgroup();
  for (uint32_t i = 0; i < kCgroups; ++i) {
    const CgroupBook& book = board.cgroups[i];
    CompareOne(absl::StrCat("cgroup ", i), Find(of_cgroups, IdOf(tree.directories[i])),
               book.locked_bytes, book.peak_bytes);
  }
}

}  // namespace truth
