// SPDX-License-Identifier: Apache-2.0
// The BPF programs that see refused locks and privileged bypasses: capability_checks,
// lock_calls, lock_faults, ring_registrations, with the maps that they share.
//
//   auto programs = AttemptPrograms::Open(options);
//   programs->Read([](const lock_attempt& attempt) { … });
#pragma once

#include <linux/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "agent/bpf/hook_report.h"
#include "agent/cgroup/hierarchy.h"
#include "bpf/lock_attempt.h"

namespace pagewarden {

struct AttemptProgramOptions {
  std::optional<CgroupVersion> cgroup_version;  // nullopt: no cgroup ids
  bool trace_syscalls = false;                  // see WatchOptions
};

class AttemptPrograms {
 public:
  // Attaches what this kernel takes. Unimplemented: built without BPF;
  // PermissionDenied: needs CAP_BPF and CAP_PERFMON; others: it takes none of them.
  static absl::StatusOr<AttemptPrograms> Open(const AttemptProgramOptions& options);

  AttemptPrograms(AttemptPrograms&&) noexcept;
  AttemptPrograms& operator=(AttemptPrograms&&) noexcept;
  ~AttemptPrograms();

  // Readable (poll(2)) when there is something to read.
  int fd() const;

  // Calls `visit` for each attempt since the last time. Not thread-safe.
  void Read(absl::FunctionRef<void(const lock_attempt&)> visit);

  // Takes the counts of attempts that were not told one by one in a second that is over.
  void TakeUntold(absl::FunctionRef<void(const attempt_rate_key&, uint64_t times)> visit);

  // Whether refusals that ask for CAP_IPC_LOCK are seen at all.
  bool sees_questions() const;

  std::vector<HookReport> hooks() const;

 private:
  struct State;
  explicit AttemptPrograms(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pagewarden
