// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agent/audit/formats.h"

namespace pagewarden {
namespace {

constexpr char kWithoutPolicy[] = "(by name)";  // arenas through pagewarden.h only

struct PolicyCounts {
  size_t active = 0;
  size_t selected = 0;
  bool audit_only = false;

  // Of the active ones, processes …
  size_t not_locked = 0;     // with an arena that is not locked in full
  size_t not_inherited = 0;  // forked, under onFork: Exclude
  size_t not_pinned = 0;     // with memory to pin that is not locked
  size_t namespaces = 0;     // that called dlmopen
  size_t out_of_reach = 0;   // that define hooked functions themselves
  size_t missed_files = 0;   // with more secret files open than there is room for
  // … and what they counted.
  uint64_t fallbacks = 0;
  uint64_t violations = 0;
};

uint64_t CappedSum(uint64_t a, uint64_t b) {
  return a + std::min(b, std::numeric_limits<uint64_t>::max() - a);
}

bool IsLocked(const ShimState& shim) {
  return std::all_of(shim.arenas.begin(), shim.arenas.end(), [](const ShimArena& arena) {
    return !arena.IsInherited() || arena.locked_bytes >= arena.capacity_bytes;
  });
}

bool HasAllArenas(const ShimState& shim) {
  return std::all_of(shim.arenas.begin(), shim.arenas.end(),
                     [](const ShimArena& arena) { return arena.IsInherited(); });
}

void Count(const ShimState& shim, PolicyCounts& counts) {
  ++counts.selected;
  counts.audit_only = shim.mode == "Audit";
  if (!shim.active) return;
  ++counts.active;
  for (const uint64_t count : shim.violations) {
    counts.violations = CappedSum(counts.violations, count);
  }
  counts.namespaces += shim.namespaces > 0;
  counts.out_of_reach += shim.functions_in_executable > 0;
  counts.missed_files += shim.files_missed > 0;
  if (counts.audit_only) return;
  counts.not_locked += !IsLocked(shim);
  counts.not_inherited += !HasAllArenas(shim);
  counts.not_pinned += shim.unpinned_bytes > 0;
  for (const ShimArena& arena : shim.arenas) {
    counts.fallbacks = CappedSum(counts.fallbacks, arena.fallbacks);
  }
}

std::string Plural(uint64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

std::string Describe(const std::string& policy, const PolicyCounts& counts) {
  std::vector<std::string> notes;
  if (counts.audit_only) notes.push_back("audit only");
  if (counts.not_locked > 0) notes.push_back(absl::StrCat(counts.not_locked, " not locked"));
  if (counts.not_inherited > 0) {
    notes.push_back(absl::StrCat(counts.not_inherited, " not inherited"));
  }
  if (counts.not_pinned > 0) {
    notes.push_back(absl::StrCat(counts.not_pinned, " not pinned in full"));
  }
  if (counts.fallbacks > 0) notes.push_back(Plural(counts.fallbacks, "fallback"));
  if (counts.namespaces > 0) notes.push_back(absl::StrCat(counts.namespaces, " with dlmopen"));
  if (counts.out_of_reach > 0) {
    notes.push_back(absl::StrCat(counts.out_of_reach, " with functions of their own"));
  }
  if (counts.missed_files > 0) {
    notes.push_back(absl::StrCat(counts.missed_files, " with too many secret files"));
  }
  if (counts.violations > 0) notes.push_back(Plural(counts.violations, "violation"));
  std::string covered = absl::StrCat(policy, " ", counts.active, "/", counts.selected);
  if (notes.empty()) return covered;
  return absl::StrCat(covered, " (", absl::StrJoin(notes, ", "), ")");
}

// What the shim's own books do not say; empty: nothing.
std::string CoverageNote(const ProcessRow& row, const CoveredProcess* coverage) {
  if (coverage == nullptr || coverage->reason.empty()) return "";
  if (row.shim_loaded && (!row.shim || !row.shim->uncovered.empty())) return "";
  return absl::StrCat(CoverageWord(coverage->state), ": ",
                      absl::StrReplaceAll(coverage->reason, {{"_", " "}}));
}

// Empty: neither a policy nor an arena.
std::string PolicyOf(const ShimState& shim) {
  if (!shim.policy.empty() || shim.arenas.empty()) return shim.policy;
  return kWithoutPolicy;
}

}  // namespace

std::string ShimSummary(const std::vector<ProcessRow>& rows, const AuditReport& report) {
  std::map<std::string, PolicyCounts> policies;
  std::set<std::string> uncovered;
  bool loaded = false;
  for (const ProcessRow& row : rows) {
    const CoveredProcess* const coverage = CoverageOf(report, row.pid);
    const std::string more = CoverageNote(row, coverage);
    if (!more.empty()) uncovered.insert(more);
    if (!row.shim_loaded && coverage != nullptr) ++policies[coverage->policy].selected;
    loaded = loaded || row.shim_loaded || coverage != nullptr;
    if (!row.shim_loaded) continue;
    if (!row.shim) {
      uncovered.insert(row.shim_unreadable ? "unknown, no right to read its ledger"
                                           : "uncovered: invalid ledger");
      continue;
    }
    const std::string policy = PolicyOf(*row.shim);
    if (!policy.empty()) Count(*row.shim, policies[policy]);
    if (!row.shim->uncovered.empty()) {
      uncovered.insert(
          absl::StrCat("uncovered: ", absl::StrReplaceAll(row.shim->uncovered, {{"_", " "}})));
    }
  }
  if (!loaded) return "-";
  std::vector<std::string> parts;
  for (const auto& [policy, counts] : policies) parts.push_back(Describe(policy, counts));
  parts.insert(parts.end(), uncovered.begin(), uncovered.end());
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
  for (const auto& [uid, residue] : report.residue_details) {
    totals[uid].shm_locked_bytes = residue.shm_locked_bytes;
  }
  return totals;
}

}  // namespace pagewarden
