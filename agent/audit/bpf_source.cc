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

// Of more of them, sorting costs less than merging one after another.
constexpr size_t kMostRuns = 8;

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

uint64_t ShmLockedBytes(const task_record& record) {
  return (record.flags & TASK_HAS_SHM_COUNT) != 0 ? record.user_shm_locked_pages * PageBytes() : 0;
}

bool IsBefore(const task_record* a, const task_record* b) { return a->pid < b->pid; }

// They come in the order in which the processes were made: by pid, until those wrap. So
// there are a few sorted runs to merge.
void SortByPid(absl::Span<const task_record> records, std::vector<const task_record*>& sorted) {
  sorted.clear();
  std::vector<ptrdiff_t> ends;  // of the runs
  for (const task_record& record : records) {
    if (!sorted.empty() && !IsBefore(sorted.back(), &record)) ends.push_back(sorted.size());
    sorted.push_back(&record);
  }
  if (ends.size() > kMostRuns) return std::sort(sorted.begin(), sorted.end(), IsBefore);
  ends.push_back(static_cast<ptrdiff_t>(sorted.size()));
  for (size_t i = 1; i < ends.size(); ++i) {
    const auto begin = sorted.begin();
    std::inplace_merge(begin, begin + ends[i - 1], begin + ends[i], IsBefore);
  }
}

void AddLimitsBefore(const task_record* before, const task_record& now,
                     std::map<pid_t, ProcessLimits>& limits) {
  if (before == nullptr || (before->soft_limit_bytes == now.soft_limit_bytes &&
                            before->hard_limit_bytes == now.hard_limit_bytes)) {
    return;
  }
  limits[static_cast<pid_t>(now.pid)] = {LimitFromRlim(before->soft_limit_bytes),
                                         LimitFromRlim(before->hard_limit_bytes)};
}

// Sums over processes of which most are in the cgroup of the one before.
class QuietByCgroup {
 public:
  struct Sums {
    QuietSums sums;
    pid_t pid = 0;  // one of them
  };

  void Add(const task_record& record) {
    if (last_ == nullptr || last_id_ != record.cgroup_id) {
      last_ = &by_id_[record.cgroup_id];
      last_id_ = record.cgroup_id;
    }
    ++last_->sums.processes;
    last_->sums.cgroup_id = record.cgroup_id;
    last_->pid = static_cast<pid_t>(record.pid);
    const auto limit = LimitFromRlim(record.soft_limit_bytes);
    if (limit)
      last_->sums.limit_min_bytes = std::min(*limit, last_->sums.limit_min_bytes.value_or(*limit));
  }

  const std::map<uint64_t, Sums>& sums() const { return by_id_; }

 private:
  std::map<uint64_t, Sums> by_id_;
  uint64_t last_id_ = 0;
  Sums* last_ = nullptr;
};

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

absl::StatusOr<BpfRows> BpfSource::Read(absl::Time now, const absl::flat_hash_set<pid_t>* rows_of) {
  auto records = snapshot_.Read();
  if (!records.ok()) return records.status();
  if (absl::Status status = cgroups_.StartRound(now); !status.ok()) return status;
  SortByPid(*records, records_);
  quiet_.StartRound();

  BpfRows result;
  QuietByCgroup quiet;
  for (const task_record* each : records_) {
    const task_record& record = *each;
    const pid_t pid = static_cast<pid_t>(record.pid);
    AddResidue(record, result.residue);
    result.ipc_use.Add(record.ipc_namespace, pid, ShmLockedBytes(record));
    if ((record.flags & TASK_LEADER_ENDED) != 0) {
      result.without_leader.push_back(pid);
      continue;
    }
    const bool wants_row = rows_of == nullptr || rows_of->contains(pid);
    if (quiet_.Recall(record, wants_row)) {
      quiet.Add(record);
      continue;
    }
    const absl::string_view cgroup = cgroups_.Find(record.cgroup_id, pid);
    if (cgroup.empty()) continue;
    AddLimitsBefore(quiet_.Before(record), record, result.limits_before);
    result.rows.push_back(RowOf(record));
    result.rows.back().cgroup = std::string(cgroup);
    result.rows.back().cgroup_id = record.cgroup_id;
  }
  for (const auto& [id, of_cgroup] : quiet.sums()) {
    const absl::string_view cgroup = cgroups_.Find(id, of_cgroup.pid);
    if (!cgroup.empty()) result.quiet[std::string(cgroup)] = of_cgroup.sums;
  }
  return result;
}

void BpfSource::SetQuiet(const std::vector<pid_t>& pids) {
  std::vector<const task_record*> quiet;
  auto record = records_.begin();
  for (const pid_t pid : pids) {
    while (record != records_.end() && (*record)->pid < static_cast<__u32>(pid)) ++record;
    if (record == records_.end()) break;
    if ((*record)->pid == static_cast<__u32>(pid)) quiet.push_back(*record);
  }
  quiet_.EndRound(quiet);
}

}  // namespace pagewarden
