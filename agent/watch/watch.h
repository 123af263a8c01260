// SPDX-License-Identifier: Apache-2.0
// What happens between two snapshots: refusals, privileged bypasses, peaks, guard
// hits. Attaches the best hook that loads for each question and reads what they say.
//
//   auto watch = Watch::Open({});
//   for (;;) for (const WatchEvent& event : watch->Poll(absl::Seconds(1))) …
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/bpf/hook_report.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/reasons/attempt.h"
#include "agent/reasons/reason.h"
#include "agent/watch/guard_hits.h"
#include "agent/watch/peak.h"

namespace pagewarden {

struct WatchOptions {
  // Attach to the exit of system calls: sees every result, those of seccomp filters too,
  // and costs each system call of every process some 20 ns (docs/hooks.md).
  bool trace_syscalls = false;
  std::vector<pid_t> pids;  // attempts of these only; empty: all
  // Count how often and how long our programs run: hooks(). The kernel then counts for
  // all BPF programs of the machine (agent/bpf/run_statistics.h); needs CAP_SYS_ADMIN.
  bool count_runs = false;
};

struct WatchEvent {
  absl::Time time;
  pid_t pid = 0;
  uid_t uid = 0;  // effective
  std::string comm;
  std::string cgroup;              // path; empty: no hierarchy, or not known any more
  std::optional<Attempt> attempt;  // refused, or allowed by capability only
  std::optional<Verdict> verdict;  // of the attempt
  std::optional<GuardHit> guard_hit;
};

class Watch {
 public:
  // Never fails for a hook that does not load: see hooks(). Fails where none does.
  // `hierarchy` must outlive the watch; nullptr: no paths, no peaks of cgroups.
  static absl::StatusOr<Watch> Open(const CgroupHierarchy* hierarchy, const WatchOptions& options);
  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) noexcept;
  ~Watch();

  // Waits until something happens, `timeout` at most. Not thread-safe.
  std::vector<WatchEvent> Poll(absl::Duration timeout);

  // By pid of the reader's namespace; processes that have ended are left out, and so
  // are those that never had memory locked.
  absl::flat_hash_map<pid_t, Peak> ProcessPeaks() const;
  // By cgroup path: of the sum over its own processes. Removed cgroups are left out.
  absl::flat_hash_map<std::string, Peak> CgroupPeaks() const;

  std::vector<HookReport> hooks() const;

 private:
  struct State;
  explicit Watch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pagewarden
