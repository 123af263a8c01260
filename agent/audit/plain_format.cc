// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/audit/formats.h"
#include "agent/audit/limit_text.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

std::string OrDash(const std::optional<uint64_t>& value) {
  return value ? absl::StrCat(*value) : "-";
}

std::string Record(const std::vector<std::string>& fields) {
  return absl::StrJoin(fields, "\t") + "\n";
}

std::string CgroupRecord(const CgroupRow& row, const AuditReport& report) {
  const CgroupSums& own = row.own;
  const auto unevictable =
      own.unevictable_bytes ? own.unevictable_bytes : row.subtree.unevictable_bytes;
  return Record(
      {Printable(row.path), row.identity.kind, absl::StrCat(own.processes),
       absl::StrCat(own.locked_bytes), absl::StrCat(own.pinned_bytes), OrDash(unevictable),
       OrDash(own.limit_min_bytes), absl::StrFormat("%.4f", own.usage_max_ratio),
       absl::StrCat(own.recommendation.limit_bytes), ShimSummary(row.processes, report),
       absl::StrCat(own.peak.bytes), PeakQuality(own.peak), absl::StrCat(row.subtree.processes),
       absl::StrCat(row.subtree.locked_bytes), absl::StrCat(row.subtree.pinned_bytes),
       OrDash(row.subtree.unevictable_bytes), absl::StrCat(row.subtree.peak.bytes)});
}

std::string ProcessRecord(const ProcessRow& row, const AuditReport& report) {
  const Peak& peak = report.peaks.at(row.pid);
  return Record({absl::StrCat(row.pid), Printable(row.comm), absl::StrCat(row.uid),
                 Printable(row.cgroup), absl::StrCat(row.locked_bytes),
                 absl::StrCat(row.pinned_bytes), OrDash(row.soft_limit_bytes),
                 OrDash(row.hard_limit_bytes), row.cap_ipc_lock ? "1" : "0",
                 absl::StrCat(row.drift_bytes), absl::StrFormat("%.4f", UsageRatio(row)),
                 ShimSummary({row}, report), absl::StrCat(peak.bytes), PeakQuality(peak),
                 IpcLockName(IpcLockOf(row)), MayRaiseName(MayRaiseOf(row))});
}

std::string UidRecords(const AuditReport& report) {
  std::string text;
  for (const auto& [uid, total] : TotalsByUid(report)) {
    text += Record({absl::StrCat(uid), absl::StrCat(total.processes),
                    absl::StrCat(total.locked_bytes), absl::StrCat(total.pinned_bytes),
                    report.source == "bpf" ? absl::StrCat(total.residue_bytes) : "-",
                    absl::StrCat(total.shm_locked_bytes)});
  }
  return text;
}

}  // namespace

std::string FormatPlain(const AuditReport& report, GroupBy by) {
  if (by == GroupBy::kUid) return UidRecords(report);
  std::string text;
  for (const CgroupRow& cgroup : report.cgroups) {
    if (by == GroupBy::kCgroup) text += CgroupRecord(cgroup, report);
    if (by != GroupBy::kProcess) continue;
    for (const ProcessRow& row : cgroup.processes) {
      text += ProcessRecord(row, report);
    }
  }
  return text;
}

}  // namespace pagewarden
