// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/proc_source.h"

#include <linux/capability.h>

#include "agent/proc/status.h"

namespace pagewarden {
namespace {

absl::Status ReadInto(pid_t pid, const CgroupHierarchy* hierarchy, ProcessRow& row) {
  const auto limits = ReadMemlockLimits(pid);
  if (!limits.ok()) return limits.status();
  row.soft_limit_bytes = limits->soft;
  row.hard_limit_bytes = limits->hard;
  if (row.cap_ipc_lock) {
    const auto initial = InInitialUserNamespace(pid);
    if (!initial.ok()) return initial.status();
    row.cap_ipc_lock = *initial;
  }
  row.cgroup = "/";
  if (hierarchy == nullptr) return absl::OkStatus();
  auto path = hierarchy->PathOf(pid);
  if (!path.ok()) return path.status();
  row.cgroup = *std::move(path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<ProcessRow>> ReadProcessRow(pid_t pid,
                                                         const CgroupHierarchy* hierarchy) {
  auto status = ReadStatus(pid);
  if (absl::IsNotFound(status.status())) return std::nullopt;
  if (!status.ok()) return status.status();
  if (!status->has_memory) return std::nullopt;

  ProcessRow row;
  row.pid = pid;
  row.comm = std::move(status->comm);
  row.uid = status->uid;
  row.locked_bytes = status->locked_bytes;
  row.pinned_bytes = status->pinned_bytes;
  row.cap_ipc_lock = (status->cap_effective >> CAP_IPC_LOCK) & 1;
  const absl::Status rest = ReadInto(pid, hierarchy, row);
  if (absl::IsNotFound(rest)) return std::nullopt;
  if (!rest.ok()) return rest;
  return row;
}

}  // namespace pagewarden
