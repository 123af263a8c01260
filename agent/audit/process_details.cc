// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/process_details.h"

#include <utility>

#include "agent/audit/shim_details.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

// Reading /proc/PID/maps takes as long as walking the mappings of some hundred
// processes in the kernel does.
constexpr size_t kFewEnoughToRead = 64;

}  // namespace

bool ProcessDetails::LoadWalk() {
  if (bpf_ || !use_bpf_) return bpf_.has_value();
  auto opened = ShimWalk::Open();
  use_bpf_ = opened.ok();
  if (opened.ok()) bpf_ = *std::move(opened);
  return opened.ok();
}

bool ProcessDetails::Known::Matches(const ProcessRow& row) const {
  // Without a start time, a process cannot be told from another of that pid.
  return start_time_ns != 0 && start_time_ns == row.start_time_ns && exec_id == row.exec_id;
}

void ProcessDetails::Recall(std::vector<ProcessRow>& rows, std::vector<size_t>& unknown) const {
  for (size_t i = 0; i < rows.size(); ++i) {
    ProcessRow& row = rows[i];
    const auto known = known_.find(row.pid);
    const bool same = known != known_.end() && known->second.Matches(row);
    row.exe = same ? known->second.exe : ReadExe(row.pid);
    if (same && known->second.executable_bytes == row.executable_bytes) {
      row.shim_loaded = known->second.has_shim;
    } else {
      unknown.push_back(i);
    }
  }
}

// False: the walk cannot be had.
bool ProcessDetails::FindByWalking(std::vector<ProcessRow>& rows,
                                   const std::vector<size_t>& unknown) {
  if (!LoadWalk()) return false;
  const auto tasks = bpf_->Read();
  if (!tasks.ok()) return false;
  absl::flat_hash_map<pid_t, bool> unread;
  for (const shim_task& task : *tasks) unread[static_cast<pid_t>(task.pid)] = task.unread != 0;
  still_unknown_.clear();
  for (const size_t i : unknown) {
    const auto found = unread.find(rows[i].pid);
    rows[i].shim_loaded = found != unread.end();  // unread: AddShimState will tell
    if (found != unread.end() && found->second) still_unknown_.insert(rows[i].pid);
  }
  return true;
}

Failures ProcessDetails::FindByReading(std::vector<ProcessRow>& rows,
                                       const std::vector<size_t>& unknown) {
  Failures failures;
  for (const size_t i : unknown) {
    const auto mapped = MapsShim(rows[i].pid);
    rows[i].shim_loaded = mapped.value_or(false);
    if (mapped.ok() || absl::IsNotFound(mapped.status())) continue;
    failures.Add(rows[i].pid, mapped.status());
    still_unknown_.insert(rows[i].pid);
  }
  return failures;
}

// Splits `unknown` by who can tell: what BPF does not see is read from /proc each time.
void ProcessDetails::FindShims(std::vector<ProcessRow>& rows, const std::vector<size_t>& unknown,
                               Failures& failures) {
  still_unknown_.clear();
  std::vector<size_t> of_bpf;
  std::vector<size_t> of_proc;
  for (const size_t i : unknown) (rows[i].start_time_ns != 0 ? of_bpf : of_proc).push_back(i);
  if (of_bpf.size() <= kFewEnoughToRead || !FindByWalking(rows, of_bpf)) {
    const Failures unread = FindByReading(rows, of_bpf);
    if (!unread.empty() && !FindByWalking(rows, of_bpf)) failures.Add(unread);
  }
  failures.Add(FindByReading(rows, of_proc));
}

void ProcessDetails::Remember(const std::vector<ProcessRow>& rows, bool all) {
  if (all) known_.clear();
  for (const ProcessRow& row : rows) {
    if (still_unknown_.contains(row.pid)) {
      known_.erase(row.pid);
    } else {
      known_[row.pid] = {row.start_time_ns, row.exec_id, row.executable_bytes, row.shim_loaded,
                         row.exe};
    }
  }
}

void ProcessDetails::Add(std::vector<ProcessRow>& rows, bool all, Failures& failures) {
  std::vector<size_t> unknown;
  Recall(rows, unknown);
  FindShims(rows, unknown, failures);
  Remember(rows, all);
  for (ProcessRow& row : rows) {
    if (!row.shim_loaded) continue;
    const absl::Status status = AddShimState(row);
    if (!status.ok() && !absl::IsNotFound(status)) failures.Add(row.pid, status);
  }
}

std::optional<HookReport> ProcessDetails::Report() const {
  if (!bpf_) return std::nullopt;
  return bpf_->Report();
}

}  // namespace pagewarden
