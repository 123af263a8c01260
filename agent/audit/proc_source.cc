// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/proc_source.h"

#include <linux/capability.h>

#include <algorithm>
#include <utility>

#include "agent/proc/status.h"
#include "agent/proc/sysv_shm.h"

namespace pagewarden {
namespace {

absl::Status ReadInto(pid_t task, const CgroupHierarchy* hierarchy, ProcessRow& row) {
  const auto limits = ReadMemlockLimits(task);
  if (!limits.ok()) return limits.status();
  row.soft_limit_bytes = limits->soft;
  row.hard_limit_bytes = limits->hard;
  const auto initial = InInitialUserNamespace(task);
  if (!initial.ok()) return initial.status();
  row.in_initial_user_ns = *initial;
  row.cap_ipc_lock = *initial && ((row.cap_effective >> CAP_IPC_LOCK) & 1) != 0;
  row.ipc_namespace = ReadIpcNamespace(task).value_or(0);
  row.cgroup = "/";
  if (hierarchy == nullptr) return absl::OkStatus();
  auto path = hierarchy->PathOf(task);
  if (!path.ok()) return path.status();
  row.cgroup = *std::move(path);
  return absl::OkStatus();
}

void CopyStatus(ProcessStatus status, ProcessRow& row) {
  row.comm = std::move(status.comm);
  row.uid = status.uid;
  row.real_uid = status.real_uid;
  row.locked_bytes = status.locked_bytes;
  row.pinned_bytes = status.pinned_bytes;
  row.total_bytes = status.total_bytes;
  row.peak_total_bytes = status.peak_total_bytes;
  row.cap_effective = status.cap_effective;
  row.cap_permitted = status.cap_permitted;
  row.cap_bounding = status.cap_bounding;
  row.seccomp = static_cast<SeccompMode>(std::min(status.seccomp, 2));
  row.no_new_privs = status.no_new_privs;
}

}  // namespace

absl::StatusOr<std::optional<ProcessRow>> ReadProcessRow(pid_t pid,
                                                         const CgroupHierarchy* hierarchy) {
  // A main thread that has ended is in no cgroup and no namespace any more.
  pid_t task = pid;
  auto status = ReadStatus(task);
  if (status.ok() && !status->has_memory && status->threads > 1) {
    task = TaskWithMemory(pid);
    status = ReadStatus(task);
  }
  if (absl::IsNotFound(status.status())) return std::nullopt;
  if (!status.ok()) return status.status();
  if (!status->has_memory) return std::nullopt;

  ProcessRow row;
  row.pid = pid;
  CopyStatus(*std::move(status), row);
  const absl::Status rest = ReadInto(task, hierarchy, row);
  if (absl::IsNotFound(rest)) return std::nullopt;
  if (!rest.ok()) return rest;
  return row;
}

}  // namespace pagewarden
