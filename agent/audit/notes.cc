// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/audit/findings.h"
#include "agent/audit/limit_text.h"
#include "agent/audit/tables.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

// Of one kind: a fleet of containers has the same finding a thousand times.
constexpr size_t kMaxOfAKind = 5;
constexpr size_t kMaxHolders = 8;

using Names = std::map<pid_t, std::string>;

Names NamesOf(const AuditReport& report) {
  Names names;
  for (const CgroupRow& cgroup : report.cgroups) {
    for (const ProcessRow& row : cgroup.processes) names[row.pid] = row.comm;
  }
  return names;
}

std::string Subject(const AuditFinding& finding, const Names& names) {
  if (finding.pid == 0) return CgroupName(finding.cgroup);
  const auto name = names.find(finding.pid);
  return ProcessName(name == names.end() ? "" : name->second, finding.pid);
}

std::string Holders(const UidResidue& residue) {
  std::vector<std::string> parts;
  for (const ResidueHolder& holder : residue.holders) {
    if (parts.size() == kMaxHolders) {
      parts.push_back(absl::StrCat("and ", residue.holders.size() - kMaxHolders, " more"));
      break;
    }
    parts.push_back(absl::StrCat(holder.kind, " ", holder.bytes ? HumanBytes(*holder.bytes) : "?",
                                 " by ", ProcessName(holder.comm, holder.pid)));
  }
  return absl::StrJoin(parts, ", ");
}

std::string ResidueLine(uid_t uid, const UidResidue& residue) {
  std::string line =
      absl::StrCat("residue: uid ", uid, " is charged ", HumanBytes(residue.residue_bytes),
                   " that is in no process's LOCKED");
  const std::string holders = Holders(residue);
  if (!holders.empty()) absl::StrAppend(&line, ": ", holders);
  if (residue.explained_bytes < residue.residue_bytes) {
    absl::StrAppend(&line, holders.empty() ? ": " : "; ",
                    HumanBytes(residue.residue_bytes - residue.explained_bytes),
                    " by no open file that could be read");
  }
  return line + "\n";
}

std::string SegmentLines(uid_t uid, const UidResidue& residue) {
  std::map<uint64_t, std::pair<uint64_t, std::vector<std::string>>> by_namespace;
  for (const LockedSegment& segment : residue.segments) {
    auto& [bytes, ids] = by_namespace[segment.ipc_namespace];
    bytes += segment.bytes;
    if (ids.size() < kMaxHolders) ids.push_back(absl::StrCat(segment.shmid));
  }
  std::string lines;
  for (const auto& [ipc_namespace, sums] : by_namespace) {
    absl::StrAppend(&lines, "SHM_LOCK: uid ", uid, " has ", HumanBytes(sums.first),
                    " locked in shared memory (shmid ", absl::StrJoin(sums.second, ", "),
                    "), ipc namespace ", ipc_namespace, "\n");
  }
  return lines;
}

}  // namespace

std::string ProcessName(const std::string& comm, pid_t pid) {
  return absl::StrCat(Printable(comm), "[", pid, "]");
}

std::string Percent(double ratio, bool limited) {
  if (!limited) return "-";
  const double percent = 100 * ratio;
  if (percent == 0) return "0%";
  return percent < 1 ? "<1%" : absl::StrFormat("%.0f%%", percent);
}

std::string FindingLines(const AuditReport& report) {
  const Names names = NamesOf(report);
  std::map<std::pair<Severity, std::string>, size_t> counts;
  std::string lines;
  const std::vector<AuditFinding> findings = FindingsOf(report);
  for (const AuditFinding& finding : findings) {
    if (++counts[{finding.severity, finding.code}] > kMaxOfAKind) continue;
    absl::StrAppend(&lines, SeverityName(finding.severity), ": ", finding.code, ": ",
                    Subject(finding, names), ": ", finding.text, "\n");
  }
  for (const auto& [kind, count] : counts) {
    if (count <= kMaxOfAKind) continue;
    absl::StrAppend(&lines, SeverityName(kind.first), ": ", kind.second, ": ", count - kMaxOfAKind,
                    " more like these (--json has all)\n");
  }
  return lines;
}

std::string ResidueLines(const AuditReport& report) {
  std::string lines;
  for (const auto& [uid, residue] : report.residue_details) {
    if (residue.residue_bytes > 0) absl::StrAppend(&lines, ResidueLine(uid, residue));
    absl::StrAppend(&lines, SegmentLines(uid, residue));
  }
  return lines;
}

}  // namespace pagewarden
