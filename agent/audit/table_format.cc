// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/audit/formats.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

using Cells = std::vector<std::vector<std::string>>;

// What a footer needs to know.
struct Shown {
  size_t rows = 0;
  size_t of = 0;
};

std::string Percent(double ratio, bool limited) {
  if (!limited) return "-";
  const double percent = 100 * ratio;
  if (percent == 0) return "0%";
  return percent < 1 ? "<1%" : absl::StrFormat("%.0f%%", percent);
}

bool MattersMore(uint64_t locked_a, uint64_t pinned_a, uint64_t locked_b, uint64_t pinned_b) {
  return locked_a != locked_b ? locked_a > locked_b : pinned_a > pinned_b;
}

bool IsNotable(const ProcessRow& row) {
  return row.locked_bytes > 0 || row.pinned_bytes > 0 || row.shim_loaded;
}

bool IsNotable(const CgroupRow& row) {
  return std::any_of(row.processes.begin(), row.processes.end(),
                     [](const ProcessRow& process) { return IsNotable(process); });
}

template <typename Row>
void SortByWeight(std::vector<const Row*>& rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const Row* a, const Row* b) {
    return MattersMore(a->locked_bytes, a->pinned_bytes, b->locked_bytes, b->pinned_bytes);
  });
}

std::vector<const CgroupRow*> SelectCgroups(const AuditReport& report, bool all) {
  std::vector<const CgroupRow*> rows;
  for (const CgroupRow& row : report.cgroups) {
    if (all || IsNotable(row)) rows.push_back(&row);
  }
  SortByWeight(rows);
  return rows;
}

std::string CgroupTable(const AuditReport& report, bool all, Shown& shown) {
  Cells cells = {{"CGROUP", "PROCS", "LOCKED", "PINNED", "LIMIT", "USE%", "SHIM"}};
  for (const CgroupRow* row : SelectCgroups(report, all)) {
    cells.push_back({Printable(row->path), absl::StrCat(row->processes.size()),
                     HumanBytes(row->locked_bytes), HumanBytes(row->pinned_bytes),
                     HumanLimit(row->limit_min_bytes),
                     Percent(row->usage_max_ratio, row->limit_min_bytes.has_value()),
                     ShimSummary(row->processes)});
  }
  shown = {cells.size() - 1, report.cgroups.size()};
  return FormatTable({Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                      Align::kRight, Align::kLeft},
                     cells);
}

std::string ProcessTable(const AuditReport& report, bool all, Shown& shown) {
  std::vector<const ProcessRow*> rows;
  for (const CgroupRow& cgroup : report.cgroups) {
    shown.of += cgroup.processes.size();
    for (const ProcessRow& row : cgroup.processes) {
      if (all || IsNotable(row)) rows.push_back(&row);
    }
  }
  SortByWeight(rows);
  Cells cells = {
      {"PID", "COMMAND", "UID", "LOCKED", "PINNED", "LIMIT", "USE%", "CAP", "SHIM", "CGROUP"}};
  for (const ProcessRow* row : rows) {
    cells.push_back({absl::StrCat(row->pid), Printable(row->comm), absl::StrCat(row->uid),
                     HumanBytes(row->locked_bytes), HumanBytes(row->pinned_bytes),
                     HumanLimit(row->soft_limit_bytes),
                     Percent(UsageRatio(*row), row->soft_limit_bytes.has_value()),
                     row->cap_ipc_lock ? "ipc_lock" : "-", ShimSummary({*row}),
                     Printable(row->cgroup)});
  }
  shown.rows = rows.size();
  return FormatTable({Align::kRight, Align::kLeft, Align::kRight, Align::kRight, Align::kRight,
                      Align::kRight, Align::kRight, Align::kLeft, Align::kLeft, Align::kLeft},
                     cells);
}

std::string UidTable(const AuditReport& report, bool all, Shown& shown) {
  Cells cells = {{"UID", "PROCS", "LOCKED", "PINNED", "RESIDUE"}};
  const auto totals = TotalsByUid(report);
  for (const auto& [uid, total] : totals) {
    if (!all && total.locked_bytes + total.pinned_bytes + total.residue_bytes == 0) continue;
    cells.push_back({absl::StrCat(uid), absl::StrCat(total.processes),
                     HumanBytes(total.locked_bytes), HumanBytes(total.pinned_bytes),
                     report.source == "bpf" ? HumanBytes(total.residue_bytes) : "-"});
  }
  shown = {cells.size() - 1, totals.size()};
  return FormatTable({Align::kRight, Align::kRight, Align::kRight, Align::kRight, Align::kRight},
                     cells);
}

std::string SourceNote(const AuditReport& report) {
  if (report.source != "bpf") return "source: /proc";
  if (report.reconciled == 0) return "source: bpf";
  return absl::StrCat("source: bpf, and /proc for ", report.reconciled,
                      report.reconciled == 1 ? " process" : " processes", " it does not show");
}

std::string Footer(const AuditReport& report, absl::string_view noun, Shown shown) {
  uint64_t locked = 0;
  uint64_t pinned = 0;
  for (const CgroupRow& row : report.cgroups) {
    locked += row.locked_bytes;
    pinned += row.pinned_bytes;
  }
  return absl::StrCat(shown.rows, " of ", shown.of, " ", noun, " shown",
                      shown.rows < shown.of ? " (--all for the rest)" : "", "; locked ",
                      HumanBytes(locked), ", pinned ", HumanBytes(pinned), "; ", SourceNote(report),
                      "\n");
}

}  // namespace

std::string FormatTableReport(const AuditReport& report, GroupBy by, bool all) {
  Shown shown;
  switch (by) {
    case GroupBy::kProcess: {
      const std::string table = ProcessTable(report, all, shown);
      return absl::StrCat(table, "\n", Footer(report, "processes", shown));
    }
    case GroupBy::kUid: {
      const std::string table = UidTable(report, all, shown);
      return absl::StrCat(table, "\n", Footer(report, "users", shown));
    }
    case GroupBy::kCgroup:
      break;
  }
  const std::string table = CgroupTable(report, all, shown);
  return absl::StrCat(table, "\n", Footer(report, "cgroups", shown));
}

}  // namespace pagewarden
