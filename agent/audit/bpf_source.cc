// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/bpf_source.h"

#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "agent/proc/limits.h"

namespace pagewarden {
namespace {

using PathsById = absl::flat_hash_map<uint64_t, std::string>;

uint64_t PageBytes() {
  static const uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

// A cgroup made after the walk is not in `paths`. Empty: the process is gone.
std::string ResolveCgroup(const task_record& record, const CgroupHierarchy* hierarchy,
                          const PathsById& paths) {
  if (hierarchy == nullptr) return "/";
  const auto known = paths.find(record.cgroup_id);
  if (known != paths.end()) return known->second;
  return hierarchy->PathOf(static_cast<pid_t>(record.pid)).value_or("");
}

}  // namespace

ProcessRow RowOf(const task_record& record) {
  ProcessRow row;
  row.pid = static_cast<pid_t>(record.pid);
  row.comm.assign(record.comm, strnlen(record.comm, sizeof(record.comm)));
  row.uid = record.effective_uid;
  row.locked_bytes = record.locked_pages * PageBytes();
  row.pinned_bytes = record.pinned_pages * PageBytes();
  row.soft_limit_bytes = LimitFromRlim(record.soft_limit_bytes);
  row.hard_limit_bytes = LimitFromRlim(record.hard_limit_bytes);
  row.cap_ipc_lock =
      record.user_ns_level == 0 && ((record.cap_effective >> CAP_IPC_LOCK) & 1) != 0;
  return row;
}

absl::StatusOr<BpfRows> ReadBpfRows(const CgroupHierarchy* hierarchy) {
  auto snapshot = TaskSnapshot::Open(
      hierarchy == nullptr ? std::nullopt : std::make_optional(hierarchy->version()));
  if (!snapshot.ok()) return snapshot.status();
  auto records = snapshot->Read();
  if (!records.ok()) return records.status();
  absl::StatusOr<PathsById> paths = PathsById();
  if (hierarchy != nullptr) paths = hierarchy->PathsById();
  if (!paths.ok()) return paths.status();

  BpfRows result;
  for (const task_record& record : *records) {
    ProcessRow row = RowOf(record);
    row.cgroup = ResolveCgroup(record, hierarchy, *paths);
    if (record.user_locked_pages > 0) {
      result.residue[record.user_uid] = record.user_locked_pages * PageBytes();
    }
    if (!row.cgroup.empty()) result.rows.push_back(std::move(row));
  }
  return result;
}

}  // namespace pagewarden
