// SPDX-License-Identifier: Apache-2.0
// Snapshots again and again: programs stay loaded, and what does not change is not
// read again.
//
//   auto reader = SnapshotReader::Open(&*hierarchy, SnapshotSource::kAuto);
//   for (;;) { auto snapshot = reader->Read({}); … sleep(1); }
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/audit/snapshot.h"
#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

class SnapshotReader {
 public:
  // Fails when the source asked for cannot be used. `hierarchy` outlives this and may
  // be null: all cgroups are then "/".
  static absl::StatusOr<SnapshotReader> Open(const CgroupHierarchy* hierarchy,
                                             SnapshotSource source);
  SnapshotReader(SnapshotReader&&) noexcept;
  SnapshotReader& operator=(SnapshotReader&&) noexcept;
  ~SnapshotReader();

  // As TakeSnapshot; `options.source` is that of Open. Not thread-safe. What BPF cannot
  // see is looked for in /proc at the first call and every ten seconds; what was found
  // so is in every snapshot.
  absl::StatusOr<Snapshot> Read(const SnapshotOptions& options);

  // Whether the last Read has seen the process, and only as one of `quiet`.
  bool IsQuiet(pid_t pid) const;

 private:
  struct State;
  explicit SnapshotReader(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace pagewarden
