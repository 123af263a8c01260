// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/audit/limit_text.h"
#include "agent/audit/tables.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

bool IsNotable(const ProcessRow& row, const AuditReport& report) {
  return row.locked_bytes > 0 || row.pinned_bytes > 0 || row.shim_loaded ||
         CoverageOf(report, row.pid) != nullptr || report.peaks.at(row.pid).bytes > 0;
}

std::vector<const ProcessRow*> Select(const AuditReport& report, bool all) {
  std::vector<const ProcessRow*> rows;
  for (const CgroupRow& cgroup : report.cgroups) {
    for (const ProcessRow& row : cgroup.processes) {
      if (all || IsNotable(row, report)) rows.push_back(&row);
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const ProcessRow* a, const ProcessRow* b) {
    return std::tie(a->locked_bytes, a->pinned_bytes) > std::tie(b->locked_bytes, b->pinned_bytes);
  });
  return rows;
}

const char* CapabilityCell(const ProcessRow& row) {
  switch (IpcLockOf(row)) {
    case IpcLock::kEffective:
      return "ipc_lock";
    case IpcLock::kUserNamespace:
      return "(userns)";
    case IpcLock::kPermitted:
      return "(permitted)";
    case IpcLock::kNone:
      break;
  }
  return "-";
}

std::string HardCell(const ProcessRow& row) {
  return row.soft_limit_bytes == row.hard_limit_bytes ? "=" : LimitText(row.hard_limit_bytes);
}

const char* RaiseCell(const ProcessRow& row) {
  switch (MayRaiseOf(row)) {
    case MayRaise::kNobodyNeedsTo:
      return "-";
    case MayRaise::kSelfToHard:
      return "self to hard";
    case MayRaise::kSelf:
      return "self";
    case MayRaise::kPrivileged:
      return "privileged";
    case MayRaise::kOutside:
      break;
  }
  return "outside";
}

std::vector<std::string> Cells(const ProcessRow& row, const AuditReport& report) {
  std::vector<std::string> cells = {absl::StrCat(row.pid), Printable(row.comm),
                                    absl::StrCat(row.uid), HumanBytes(row.locked_bytes)};
  if (report.watched > absl::ZeroDuration()) {
    const Peak& peak = report.peaks.at(row.pid);
    cells.push_back(absl::StrCat(peak.exact ? "" : "~", HumanBytes(peak.bytes)));
  }
  cells.insert(
      cells.end(),
      {HumanBytes(row.pinned_bytes), LimitText(row.soft_limit_bytes), HardCell(row),
       Percent(UsageRatio(row), row.soft_limit_bytes.has_value()), CapabilityCell(row),
       RaiseCell(row), ShimSummary({row}, report), Printable(ShortCgroupPath(row.cgroup))});
  return cells;
}

}  // namespace

Table ProcessTable(const AuditReport& report, const TableOptions& options) {
  std::vector<Align> columns = {Align::kRight, Align::kLeft, Align::kRight, Align::kRight};
  std::vector<std::vector<std::string>> cells = {{"PID", "COMMAND", "UID", "LOCKED"}};
  if (report.watched > absl::ZeroDuration()) {
    columns.push_back(Align::kRight);
    cells[0].push_back("PEAK");
  }
  columns.insert(columns.end(), {Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                                 Align::kLeft, Align::kLeft, Align::kLeft, Align::kLeft});
  cells[0].insert(cells[0].end(),
                  {"PINNED", "LIMIT", "HARD", "USE%", "CAP", "RAISED BY", "SHIM", "CGROUP"});
  Table table;
  for (const CgroupRow& cgroup : report.cgroups) table.of += cgroup.processes.size();
  const std::vector<const ProcessRow*> rows = Select(report, options.all);
  table.rows = rows.size();
  for (const ProcessRow* row : rows) cells.push_back(Cells(*row, report));
  if (table.rows > 0) table.text = FormatTable(columns, std::move(cells), columns.size() - 1);
  return table;
}

}  // namespace pagewarden
