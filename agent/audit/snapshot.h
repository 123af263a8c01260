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
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
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
  // Of SnapshotReader, where all processes are asked for and BPF shows them: those that
  // lock nothing and have not changed since the last snapshot are in `quiet`, not in
  // `processes`. Except `rows_of`.
  bool sum_up_quiet = false;
  absl::flat_hash_set<pid_t> rows_of;
};

// Processes of one cgroup that lock nothing and have not changed.
struct QuietSums {
  size_t processes = 0;
  uint64_t cgroup_id = 0;                   // as in ProcessRow
  std::optional<uint64_t> limit_min_bytes;  // tightest soft limit; nullopt: all unlimited
};

struct ProcessLimits {
  std::optional<uint64_t> soft_bytes;
  std::optional<uint64_t> hard_bytes;
};

struct Snapshot {
  std::string source;                      // "bpf" or "proc": the one that was used
  std::string fallback_reason;             // why kAuto did not use BPF, one line; else empty
  size_t reconciled = 0;                   // of `processes`: BPF did not show them, /proc did
  std::vector<ProcessRow> processes;       // by pid; no kernel threads, no zombies
  std::map<std::string, QuietSums> quiet;  // by cgroup; empty unless asked for
  // Of `processes` that were quiet before and had other limits then.
  std::map<pid_t, ProcessLimits> limits_before;
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
