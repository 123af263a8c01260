// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/new_processes.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "agent/proof/process_stat.h"

namespace pagewarden {
namespace {

constexpr int kRestsPerLook = 4;

bool IsOwnChild(pid_t pid) {
  const auto stat = ReadProcessStat(pid);
  return stat.ok() && stat->parent == getpid();
}

std::set<pid_t> PidsOf(const PidsByPolicy& pids, const std::string& policy) {
  const auto found = pids.find(policy);
  if (found == pids.end()) return {};
  return {found->second.begin(), found->second.end()};
}

}  // namespace

void NewProcesses::Update(const SecretTargets& before, const SecretTargets& after, absl::Time now) {
  PidsByPolicy waiting;
  for (const auto& [policy, files] : WatchedFiles(after)) {
    const std::set<pid_t> known = PidsOf(before.processes, policy);
    const std::set<pid_t> waited = PidsOf(waiting_, policy);
    for (const pid_t pid : after.processes.at(policy)) {
      const bool is_new = known.count(pid) == 0 && !IsOwnChild(pid);
      if (is_new || waited.count(pid) != 0) waiting[policy].push_back(pid);
    }
  }
  waiting_ = std::move(waiting);
  if (waiting_.empty()) {
    due_ = absl::InfiniteFuture();
  } else if (due_ == absl::InfiniteFuture()) {
    due_ = std::max(now + settle_, rested_);
  }
}

PidsByPolicy NewProcesses::Take(absl::Time now) {
  PidsByPolicy taken;
  size_t left = most_;
  for (auto& [policy, pids] : waiting_) {
    const auto end = pids.begin() + static_cast<ptrdiff_t>(std::min(left, pids.size()));
    if (end == pids.begin()) continue;
    left -= static_cast<size_t>(end - pids.begin());
    taken[policy].assign(pids.begin(), end);
    pids.erase(pids.begin(), end);
  }
  const bool is_rest = std::any_of(waiting_.begin(), waiting_.end(),
                                   [](const auto& entry) { return !entry.second.empty(); });
  due_ = is_rest ? now + rest_ : absl::InfiniteFuture();
  return taken;
}

void NewProcesses::Rest(absl::Time now, absl::Duration took) {
  rested_ = now + std::max(rest_, kRestsPerLook * took);
  if (due_ != absl::InfiniteFuture()) due_ = std::max(due_, rested_);
}

void NewProcesses::Clear() {
  waiting_.clear();
  due_ = absl::InfiniteFuture();
}

}  // namespace pagewarden
