// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/snapshot_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/audit/bpf_source.h"
#include "agent/audit/failures.h"
#include "agent/audit/locked_mappings.h"
#include "agent/audit/proc_source.h"
#include "agent/audit/process_details.h"
#include "agent/audit/residue.h"
#include "agent/cgroup/paths.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kBetweenReconciliations = absl::Seconds(10);

bool ByPid(const ProcessRow& a, const ProcessRow& b) { return a.pid < b.pid; }
bool IsBefore(const ProcessRow& row, pid_t pid) { return row.pid < pid; }

bool IsOfAll(const SnapshotOptions& options) {
  return options.pids.empty() && (options.cgroup.empty() || options.cgroup == "/");
}

absl::Status Select(const SnapshotOptions& options, std::vector<ProcessRow>& rows) {
  if (IsOfAll(options)) return absl::OkStatus();
  std::vector<ProcessRow> selected;
  absl::flat_hash_set<pid_t> missing(options.pids.begin(), options.pids.end());
  const absl::flat_hash_set<pid_t> wanted = missing;
  for (ProcessRow& row : rows) {
    missing.erase(row.pid);
    if (!wanted.empty() && !wanted.contains(row.pid)) continue;
    if (!options.cgroup.empty() && !IsAtOrBelowCgroup(row.cgroup, options.cgroup)) continue;
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

struct SnapshotReader::State {
  State(const CgroupHierarchy* the_hierarchy, bool use_bpf)
      : hierarchy(the_hierarchy), locked_mappings(use_bpf), details(use_bpf), residue(use_bpf) {}

  absl::flat_hash_set<pid_t> PidsWithRow(const SnapshotOptions& options) const;
  absl::Status ReadRows(absl::Time now, const absl::flat_hash_set<pid_t>* rows_of,
                        Snapshot& snapshot, IpcUse& use, Failures& failures);
  void SetQuiet(const std::vector<ProcessRow>& rows);
  absl::StatusOr<std::vector<pid_t>> PidsToReconcile(absl::Time now);
  void AddFromProc(const std::vector<pid_t>& pids, std::vector<ProcessRow>& rows,
                   Failures& failures);
  void AddHooks(Snapshot& snapshot) const;

  const CgroupHierarchy* hierarchy;
  std::optional<BpfSource> bpf;  // nullopt: /proc
  std::string fallback_reason;
  LockedMappingsReader locked_mappings;
  ProcessDetails details;
  ResidueReader residue;
  absl::Time reconciled = absl::InfinitePast();
  std::vector<pid_t> hidden;  // from BPF, at the last reconciliation
};

// Listed before BPF walks: a process in this list that lives on and is not in the
// snapshot is one that BPF cannot see.
absl::StatusOr<std::vector<pid_t>> SnapshotReader::State::PidsToReconcile(absl::Time now) {
  if (bpf && now - reconciled < kBetweenReconciliations) return hidden;
  reconciled = now;
  return ListProcesses();
}

// Adds every process of `pids` that is not in `rows`, which are by pid, yet and not quiet.
void SnapshotReader::State::AddFromProc(const std::vector<pid_t>& pids,
                                        std::vector<ProcessRow>& rows, Failures& failures) {
  const auto has_row = [this, &rows, of_bpf = rows.size()](pid_t pid) {
    if (bpf && bpf->IsQuiet(pid)) return true;
    const auto end = rows.begin() + static_cast<ptrdiff_t>(of_bpf);
    const auto found = std::lower_bound(rows.begin(), end, pid, IsBefore);
    return found != end && found->pid == pid;
  };
  hidden.clear();
  for (const pid_t pid : pids) {
    if (has_row(pid)) continue;
    auto row = ReadProcessRow(pid, hierarchy);
    if (!row.ok()) failures.Add(pid, row.status());
    if (!row.ok() || !row->has_value()) continue;
    hidden.push_back(pid);
    rows.push_back(**std::move(row));
    rows.back().reconciled = bpf.has_value();
  }
}

absl::flat_hash_set<pid_t> SnapshotReader::State::PidsWithRow(
    const SnapshotOptions& options) const {
  absl::flat_hash_set<pid_t> pids = options.rows_of;
  residue.AddHolderPids(pids);
  return pids;
}

// `rows_of`: see BpfSource.
absl::Status SnapshotReader::State::ReadRows(absl::Time now,
                                             const absl::flat_hash_set<pid_t>* rows_of,
                                             Snapshot& snapshot, IpcUse& use, Failures& failures) {
  auto pids = PidsToReconcile(now);
  if (!pids.ok()) return pids.status();
  snapshot.source = bpf ? "bpf" : "proc";
  snapshot.fallback_reason = fallback_reason;
  if (bpf) {
    auto rows = bpf->Read(now, rows_of);
    if (!rows.ok()) return rows.status();
    snapshot.processes = std::move(rows->rows);
    snapshot.residue = std::move(rows->residue);
    snapshot.quiet = std::move(rows->quiet);
    snapshot.limits_before = std::move(rows->limits_before);
    use = std::move(rows->ipc_use);
    pids->insert(pids->end(), rows->without_leader.begin(), rows->without_leader.end());
    std::sort(pids->begin(), pids->end());
    pids->erase(std::unique(pids->begin(), pids->end()), pids->end());
  }
  const size_t of_bpf = snapshot.processes.size();
  AddFromProc(*pids, snapshot.processes, failures);
  const auto added = snapshot.processes.begin() + static_cast<ptrdiff_t>(of_bpf);
  std::sort(added, snapshot.processes.end(), ByPid);
  for (auto row = added; row != snapshot.processes.end(); ++row) {
    use.Add(row->ipc_namespace, row->pid, row->user_shm_locked_bytes.value_or(0));
  }
  std::inplace_merge(snapshot.processes.begin(), added, snapshot.processes.end(), ByPid);
  return absl::OkStatus();
}

void SnapshotReader::State::SetQuiet(const std::vector<ProcessRow>& rows) {
  if (!bpf) return;
  std::vector<pid_t> pids;
  for (const ProcessRow& row : rows) {
    if (ShowsNothing(row) && !details.IsUnknown(row.pid)) pids.push_back(row.pid);
  }
  bpf->SetQuiet(pids);
}

void SnapshotReader::State::AddHooks(Snapshot& snapshot) const {
  if (bpf) snapshot.hooks.push_back(bpf->Report());
  for (auto report : {locked_mappings.Report(), details.Report(), residue.Report()}) {
    if (report) snapshot.hooks.push_back(*std::move(report));
  }
}

SnapshotReader::SnapshotReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
SnapshotReader::SnapshotReader(SnapshotReader&&) noexcept = default;
SnapshotReader& SnapshotReader::operator=(SnapshotReader&&) noexcept = default;
SnapshotReader::~SnapshotReader() = default;

absl::StatusOr<SnapshotReader> SnapshotReader::Open(const CgroupHierarchy* hierarchy,
                                                    SnapshotSource source) {
  std::optional<BpfSource> bpf;
  std::string fallback_reason;
  if (source != SnapshotSource::kProc) {
    auto opened = BpfSource::Open(hierarchy);
    if (!opened.ok() && source == SnapshotSource::kBpf) return opened.status();
    if (opened.ok()) {
      bpf = *std::move(opened);
    } else {
      fallback_reason = std::string(opened.status().message());
    }
  }
  auto state = std::make_unique<State>(hierarchy, bpf.has_value());
  state->bpf = std::move(bpf);
  state->fallback_reason = std::move(fallback_reason);
  return SnapshotReader(std::move(state));
}

absl::StatusOr<Snapshot> SnapshotReader::Read(const SnapshotOptions& options) {
  const absl::Time now = absl::Now();
  Snapshot snapshot;
  Failures rows_failed;
  IpcUse use;
  const bool all = !options.sum_up_quiet || !IsOfAll(options) || state_->residue.IsDue(now);
  const absl::flat_hash_set<pid_t> rows_of = state_->PidsWithRow(options);
  if (absl::Status status =
          state_->ReadRows(now, all ? nullptr : &rows_of, snapshot, use, rows_failed);
      !status.ok()) {
    return status;
  }
  snapshot.residue_details =
      state_->residue.Read(now, snapshot.residue, std::move(use), snapshot.processes);
  if (absl::Status status = Select(options, snapshot.processes); !status.ok()) return status;
  for (const ProcessRow& row : snapshot.processes) snapshot.reconciled += row.reconciled;

  Failures drift_failed;
  Failures shim_failed;
  state_->locked_mappings.Add(now, snapshot.processes, drift_failed);
  state_->details.Add(snapshot.processes, all, shim_failed);
  state_->SetQuiet(snapshot.processes);
  constexpr char kRights[] = "; needs the same user or CAP_SYS_PTRACE";
  rows_failed.ReportTo(snapshot.unreadable, "status, limits or cgroup", "");
  drift_failed.ReportTo(snapshot.unreadable, "drift", kRights);
  shim_failed.ReportTo(snapshot.unreadable, "shim state", kRights);
  const auto& unread = state_->residue.unreadable();
  snapshot.unreadable.insert(snapshot.unreadable.end(), unread.begin(), unread.end());
  state_->AddHooks(snapshot);
  return snapshot;
}

bool SnapshotReader::IsQuiet(pid_t pid) const { return state_->bpf && state_->bpf->IsQuiet(pid); }

}  // namespace pagewarden
