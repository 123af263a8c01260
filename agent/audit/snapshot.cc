// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/snapshot.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/audit/bpf_source.h"
#include "agent/audit/details.h"
#include "agent/audit/proc_source.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

// Counts failures of one kind and keeps the first for the message.
struct Failures {
  size_t count = 0;
  std::string first;

  void Add(pid_t pid, const absl::Status& status) {
    if (count++ == 0) first = absl::StrCat("pid ", pid, ": ", status.message());
  }
  void ReportTo(std::vector<std::string>& lines, absl::string_view what,
                absl::string_view hint) const {
    if (count == 0) return;
    lines.push_back(absl::StrCat(what, " of ", count, count == 1 ? " process (" : " processes (",
                                 first, ")", hint));
  }
};

// Adds every process of `pids` that is not in `rows` yet; returns how many.
size_t AddFromProc(const std::vector<pid_t>& pids, const CgroupHierarchy* hierarchy,
                   std::vector<ProcessRow>& rows, Failures& failures) {
  absl::flat_hash_set<pid_t> known;
  for (const ProcessRow& row : rows) known.insert(row.pid);
  size_t added = 0;
  for (const pid_t pid : pids) {
    if (known.contains(pid)) continue;
    auto row = ReadProcessRow(pid, hierarchy);
    if (!row.ok()) {
      failures.Add(pid, row.status());
    } else if (row->has_value()) {
      rows.push_back(**std::move(row));
      ++added;
    }
  }
  return added;
}

absl::StatusOr<Snapshot> ReadRows(const CgroupHierarchy* hierarchy, SnapshotSource source,
                                  Failures& failures) {
  // Listed before the iterator runs: a process in this list that lives on and is
  // not in the snapshot is one that the iterator cannot see.
  const auto pids = ListProcesses();
  if (!pids.ok()) return pids.status();

  Snapshot snapshot;
  snapshot.source = "proc";
  if (source != SnapshotSource::kProc) {
    auto bpf = ReadBpfRows(hierarchy);
    if (!bpf.ok() && source == SnapshotSource::kBpf) return bpf.status();
    if (bpf.ok()) {
      snapshot.source = "bpf";
      snapshot.processes = std::move(bpf->rows);
      snapshot.residue = std::move(bpf->residue);
    } else {
      snapshot.fallback_reason = std::string(bpf.status().message());
    }
  }
  const size_t added = AddFromProc(*pids, hierarchy, snapshot.processes, failures);
  if (snapshot.source == "bpf") snapshot.reconciled = added;
  return snapshot;
}

bool IsAtOrBelow(absl::string_view path, absl::string_view ancestor) {
  if (ancestor == "/" || path == ancestor) return true;
  return absl::StartsWith(path, absl::StrCat(ancestor, "/"));
}

absl::Status Select(const SnapshotOptions& options, std::vector<ProcessRow>& rows) {
  std::vector<ProcessRow> selected;
  absl::flat_hash_set<pid_t> missing(options.pids.begin(), options.pids.end());
  const absl::flat_hash_set<pid_t> wanted = missing;
  for (ProcessRow& row : rows) {
    missing.erase(row.pid);
    if (!wanted.empty() && !wanted.contains(row.pid)) continue;
    if (!options.cgroup.empty() && !IsAtOrBelow(row.cgroup, options.cgroup)) continue;
    selected.push_back(std::move(row));
  }
  if (!missing.empty()) {
    const pid_t lowest = *std::min_element(missing.begin(), missing.end());
    return absl::NotFoundError(
        absl::StrCat("pid ", lowest, " : no such process, or a kernel thread or zombie"));
  }
  rows = std::move(selected);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Snapshot> TakeSnapshot(const CgroupHierarchy* hierarchy,
                                      const SnapshotOptions& options) {
  Failures rows_failed;
  auto snapshot = ReadRows(hierarchy, options.source, rows_failed);
  if (!snapshot.ok()) return snapshot.status();
  if (absl::Status status = Select(options, snapshot->processes); !status.ok()) return status;

  Failures details_failed;
  for (ProcessRow& row : snapshot->processes) {
    if (absl::Status status = AddDetails(row); !status.ok()) details_failed.Add(row.pid, status);
  }
  std::sort(snapshot->processes.begin(), snapshot->processes.end(),
            [](const ProcessRow& a, const ProcessRow& b) { return a.pid < b.pid; });
  rows_failed.ReportTo(snapshot->unreadable, "status, limits or cgroup", "");
  details_failed.ReportTo(snapshot->unreadable, "drift and shim state",
                          "; needs the same user or CAP_SYS_PTRACE");
  return snapshot;
}

}  // namespace pagewarden
