// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agent/audit/formats.h"

namespace pagewarden {
namespace {

struct PolicyCounts {
  size_t active = 0;
  size_t selected = 0;
  size_t not_locked = 0;  // active, but an arena is not locked in full
  bool audit_only = false;
};

bool IsLocked(const ShimState& shim) {
  return std::all_of(shim.arenas.begin(), shim.arenas.end(), [](const ShimArena& arena) {
    return arena.locked_bytes >= arena.capacity_bytes;
  });
}

void Count(const ShimState& shim, PolicyCounts& counts) {
  ++counts.selected;
  counts.audit_only = shim.mode == "Audit";
  if (!shim.active) return;
  ++counts.active;
  if (!counts.audit_only && !IsLocked(shim)) ++counts.not_locked;
}

std::string Describe(const std::string& policy, const PolicyCounts& counts) {
  std::string text = absl::StrCat(policy, " ", counts.active, "/", counts.selected);
  if (counts.audit_only) text += " (audit only)";
  if (counts.not_locked > 0) absl::StrAppend(&text, " (", counts.not_locked, " not locked)");
  return text;
}

}  // namespace

std::string ShimSummary(const std::vector<ProcessRow>& rows) {
  std::map<std::string, PolicyCounts> policies;
  std::set<std::string> uncovered;
  bool loaded = false;
  for (const ProcessRow& row : rows) {
    if (!row.shim_loaded) continue;
    loaded = true;
    if (!row.shim) {
      uncovered.insert("invalid ledger");
      continue;
    }
    if (!row.shim->policy.empty()) Count(*row.shim, policies[row.shim->policy]);
    if (!row.shim->uncovered.empty()) {
      uncovered.insert(absl::StrReplaceAll(row.shim->uncovered, {{"_", " "}}));
    }
  }
  if (!loaded) return "-";
  std::vector<std::string> parts;
  for (const auto& [policy, counts] : policies) parts.push_back(Describe(policy, counts));
  for (const std::string& reason : uncovered) parts.push_back(absl::StrCat("uncovered: ", reason));
  return parts.empty() ? "no policy" : absl::StrJoin(parts, "; ");
}

std::map<uid_t, UidTotals> TotalsByUid(const AuditReport& report) {
  std::map<uid_t, UidTotals> totals;
  for (const CgroupRow& cgroup : report.cgroups) {
    for (const ProcessRow& row : cgroup.processes) {
      UidTotals& total = totals[row.uid];
      ++total.processes;
      total.locked_bytes += row.locked_bytes;
      total.pinned_bytes += row.pinned_bytes;
    }
  }
  for (const auto& [uid, bytes] : report.residue) totals[uid].residue_bytes = bytes;
  return totals;
}

}  // namespace pagewarden
