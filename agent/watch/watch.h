// SPDX-License-Identifier: Apache-2.0
// What happens between two snapshots: refusals, privileged bypasses, peaks, guard
// hits. Attaches the best hook that loads for each question and reads what they say.
//
//   auto watch = Watch::Open({});
//   for (;;) for (const WatchEvent& event : watch->Poll(absl::Seconds(1))) …
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/bpf/hook_report.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/reasons/attempt.h"
#include "agent/reasons/reason.h"
#include "agent/watch/peak.h"

namespace pagewarden {

struct WatchOptions {
  // Attach to system calls where trampolines do not load: sees every result, and costs
  // each system call of every process some 20 ns (docs/kernel.md).
  bool trace_syscalls = false;
  std::vector<pid_t> pids;  // attempts of these only; empty: all
};

// A process that hit a guard page of its fence.
struct GuardHit {
  uint64_t address = 0;
  std::string place;   // which guard: "before arena default", "between arenas", …
  std::string module;  // of the instruction, with its offset
  uint64_t module_offset = 0;
};

struct WatchEvent {
  absl::Time time;
  pid_t pid = 0;
  uid_t uid = 0;  // effective
  std::string comm;
  std::string cgroup;
  std::optional<Attempt> attempt;  // refused, or allowed by capability only
  std::optional<Verdict> verdict;  // of the attempt
  std::optional<GuardHit> guard_hit;
};

class Watch {
 public:
  // Never fails for a hook that does not load: see hooks(). Fails where none does.
  static absl::StatusOr<Watch> Open(const CgroupHierarchy* hierarchy, const WatchOptions& options);
  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) noexcept;
  ~Watch();

  // Waits until something happens, `timeout` at most. Not thread-safe.
  std::vector<WatchEvent> Poll(absl::Duration timeout);

  // By pid of the reader's namespace; processes that have ended are left out.
  std::map<pid_t, Peak> ProcessPeaks() const;
  // By cgroup path: of the sum over its own processes.
  std::map<std::string, Peak> CgroupPeaks() const;

  std::vector<HookReport> hooks() const;

 private:
  struct State;
  explicit Watch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pagewarden
