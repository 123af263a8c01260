// SPDX-License-Identifier: Apache-2.0
// All processes at one moment, by BPF or from /proc.
//
//   auto snapshot = pagewarden::TakeSnapshot(&*hierarchy, {});
//   for (const ProcessRow& row : snapshot->processes) …
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/audit/process_row.h"
#include "agent/audit/uid_residue.h"
#include "agent/bpf/hook_report.h"
#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

enum class SnapshotSource { kAuto, kBpf, kProc };

struct SnapshotOptions {
  SnapshotSource source = SnapshotSource::kAuto;
  std::vector<pid_t> pids;  // only these; empty: all
  std::string cgroup;       // only this cgroup and those below; empty: all
};

struct Snapshot {
  std::string source;                 // "bpf" or "proc": the one that was used
  std::string fallback_reason;        // why kAuto did not use BPF, one line; else empty
  size_t reconciled = 0;              // of `processes`: BPF did not show them, /proc did
  std::vector<ProcessRow> processes;  // by pid; no kernel threads, no zombies
  // user_struct->locked_vm where above 0: bytes charged to a uid and to none of
  // its processes (io_uring, perf, AF_XDP, MSG_ZEROCOPY, new memfd_secret).
  // Keyed by real uid. BPF only: /proc has no such figure.
  std::map<uid_t, uint64_t> residue;
  // The same and SHM_LOCK, with who holds it. Only users that have any of it.
  std::map<uid_t, UidResidue> residue_details;
  // Which program answered "snapshot", "locked mappings", "residue", "shim".
  std::vector<HookReport> hooks;
  // What could not be read, one line each, for the operator.
  std::vector<std::string> unreadable;
};

// Rows with the paths of `hierarchy` (null: all in "/"); drift, exe and shim state
// are filled in (details.h). Fails when the source asked for cannot be used,
// /proc cannot be listed, or one of `options.pids` does not exist (NotFound).
absl::StatusOr<Snapshot> TakeSnapshot(const CgroupHierarchy* hierarchy,
                                      const SnapshotOptions& options);

}  // namespace pagewarden
