// SPDX-License-Identifier: Apache-2.0
#include "agent/coverage/in_force.h"

#include <algorithm>

#include "agent/doctor/protections.h"

namespace pagewarden {
namespace {

// vvar, vdso and the like, which mlockall leaves out.
constexpr uint64_t kNeverLockedBytes = 256 << 10;

bool LocksAll(const ProcessRow& row) {
  return row.locked_bytes > 0 && row.locked_bytes + kNeverLockedBytes >= row.total_bytes &&
         row.locks_future.value_or(true);
}

const char* SwapPhrase(const HostFacts& host) {
  if (!host.swap || !host.SwapIsSafe()) return nullptr;
  if (host.swap->empty()) return "no swap";
  const auto is_encrypted = [](const SwapArea& area) {
    return area.storage == Storage::kEncrypted;
  };
  const auto& areas = *host.swap;
  if (std::all_of(areas.begin(), areas.end(), is_encrypted)) return "swap is encrypted";
  return std::any_of(areas.begin(), areas.end(), is_encrypted)
             ? "swap is encrypted or in memory only"
             : "swap is in memory only";
}

}  // namespace

std::vector<std::string> ProtectionsOf(const ProcessRow& row, const HostFacts& host,
                                       bool cgroup_may_not_swap, const CoreDumpFacts& core) {
  std::vector<std::string> phrases;
  if (cgroup_may_not_swap) phrases.push_back("its cgroup may not swap");
  if (const char* const swap = SwapPhrase(host)) phrases.push_back(swap);
  if (!DumpsCore(host, core)) phrases.push_back("no core dumps");
  if (LocksAll(row)) phrases.push_back("all its memory is locked");
  return phrases;
}

std::vector<std::string> ProtectionsInForce::Of(const ProcessRow& row,
                                                const CgroupHierarchy* hierarchy, absl::Time now) {
  if (now - read_ >= kMaxAge) {
    host_ = ReadHostFacts();
    may_not_swap_.clear();
    read_ = now;
  }
  bool may_not_swap = false;
  if (hierarchy != nullptr) {
    const auto [entry, is_new] = may_not_swap_.try_emplace(row.cgroup, false);
    if (is_new) entry->second = ReadSwapSwitch(*hierarchy, row.cgroup).off;
    may_not_swap = entry->second;
  }
  return ProtectionsOf(row, host_, may_not_swap, ReadCoreDumpFacts(row.pid));
}

}  // namespace pagewarden
