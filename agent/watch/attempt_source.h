// SPDX-License-Identifier: Apache-2.0
// Refused locks and privileged bypasses as they happen, each with its reason.
//
//   auto source = AttemptSource::Open({hierarchy.version(), /*trace_syscalls=*/false});
//   if (poll(source->fd()) …) for (const ObservedAttempt& seen : source->Take()) …
#pragma once

#include <sys/types.h>

#include <cstdint>
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

namespace pagewarden {

struct AttemptSourceOptions {
  std::optional<CgroupVersion> cgroup_version;  // nullopt: cgroup_id stays 0
  bool trace_syscalls = false;                  // see WatchOptions
  std::vector<pid_t> pids;                      // of these only; empty: all
};

struct ObservedAttempt {
  absl::Time time;
  pid_t pid = 0;
  uid_t uid = 0;  // effective, as the initial user namespace sees it
  std::string comm;
  uint64_t cgroup_id = 0;  // inode of its directory
  Attempt attempt;         // attempt.repeats more like it were not told one by one
  Verdict verdict;
};

class AttemptSource {
 public:
  // Never fails for a hook that does not load: see hooks(). Fails where neither the
  // question for CAP_IPC_LOCK nor a result can be seen; errors as AttemptPrograms::Open.
  static absl::StatusOr<AttemptSource> Open(const AttemptSourceOptions& options);

  AttemptSource(AttemptSource&&) noexcept;
  AttemptSource& operator=(AttemptSource&&) noexcept;
  ~AttemptSource();

  // Readable (poll(2)) when Take() has something.
  int fd() const;

  // Attempts since the last time. A process that loops is told up to 16 times a second
  // for each kind of call; further ones are counted in `repeats` of the next, or of a
  // copy of the last one a second later. Not thread-safe.
  std::vector<ObservedAttempt> Take();

  std::vector<HookReport> hooks() const;

 private:
  struct State;
  explicit AttemptSource(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pagewarden
