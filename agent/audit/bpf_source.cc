// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/bpf_source.h"

#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "agent/proc/limits.h"

namespace pagewarden {
namespace {

uint64_t PageBytes() {
  static const uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

SeccompMode SeccompOf(uint32_t mode) {
  return mode == 0 ? SeccompMode::kNone : mode == 1 ? SeccompMode::kStrict : SeccompMode::kFilter;
}

void SetMemory(const task_record& record, ProcessRow& row) {
  row.locked_bytes = record.locked_pages * PageBytes();
  row.pinned_bytes = record.pinned_pages * PageBytes();
  row.total_bytes = record.total_pages * PageBytes();
  row.peak_total_bytes = std::max(record.total_pages, record.peak_total_pages) * PageBytes();
  row.executable_bytes = record.executable_pages * PageBytes();
  row.soft_limit_bytes = LimitFromRlim(record.soft_limit_bytes);
  row.hard_limit_bytes = LimitFromRlim(record.hard_limit_bytes);
  row.locks_future = (record.flags & TASK_LOCKS_FUTURE) != 0;
  if ((record.flags & TASK_HAS_SHM_COUNT) != 0) {
    row.user_shm_locked_bytes = record.user_shm_locked_pages * PageBytes();
  }
}

void SetRights(const task_record& record, ProcessRow& row) {
  row.uid = record.effective_uid;
  row.real_uid = record.real_uid;
  row.cap_effective = record.cap_effective;
  row.cap_permitted = record.cap_permitted;
  row.cap_bounding = record.cap_bounding;
  row.in_initial_user_ns = record.user_ns_level == 0;
  row.cap_ipc_lock = row.in_initial_user_ns && ((record.cap_effective >> CAP_IPC_LOCK) & 1) != 0;
  row.seccomp = SeccompOf(record.seccomp_mode);
  row.no_new_privs = (record.flags & TASK_NO_NEW_PRIVS) != 0;
}

void AddResidue(const task_record& record, std::map<uid_t, uint64_t>& residue) {
  const uint64_t pages = record.user_locked_pages + record.user_perf_pages;
  if (pages > 0) residue[record.user_uid] = pages * PageBytes();
}

// They come in the order in which the processes were made.
std::vector<const task_record*> ByPid(absl::Span<const task_record> records) {
  std::vector<const task_record*> sorted;
  sorted.reserve(records.size());
  for (const task_record& record : records) sorted.push_back(&record);
  std::sort(sorted.begin(), sorted.end(),
            [](const task_record* a, const task_record* b) { return a->pid < b->pid; });
  return sorted;
}

}  // namespace

ProcessRow RowOf(const task_record& record) {
  ProcessRow row;
  row.pid = static_cast<pid_t>(record.pid);
  row.comm.assign(record.comm, strnlen(record.comm, sizeof(record.comm)));
  SetMemory(record, row);
  SetRights(record, row);
  row.start_time_ns = record.start_time_ns;
  row.exec_id = record.exec_id;
  row.ipc_namespace = record.ipc_namespace;
  return row;
}

absl::StatusOr<BpfSource> BpfSource::Open(const CgroupHierarchy* hierarchy) {
  auto snapshot = TaskSnapshot::Open(
      hierarchy == nullptr ? std::nullopt : std::make_optional(hierarchy->version()));
  if (!snapshot.ok()) return snapshot.status();
  return BpfSource(*std::move(snapshot), hierarchy);
}

absl::StatusOr<BpfRows> BpfSource::Read(absl::Time now) {
  auto records = snapshot_.Read();
  if (!records.ok()) return records.status();
  if (absl::Status status = cgroups_.StartRound(now); !status.ok()) return status;

  BpfRows result;
  result.rows.reserve(records->size());
  for (const task_record* each : ByPid(*records)) {
    const task_record& record = *each;
    AddResidue(record, result.residue);
    if ((record.flags & TASK_LEADER_ENDED) != 0) {
      result.without_leader.push_back(static_cast<pid_t>(record.pid));
      continue;
    }
    const absl::string_view cgroup = cgroups_.Find(record.cgroup_id, record.pid);
    if (cgroup.empty()) continue;
    result.rows.push_back(RowOf(record));
    result.rows.back().cgroup = std::string(cgroup);
  }
  return result;
}

}  // namespace pagewarden
