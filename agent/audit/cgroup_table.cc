// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/audit/cgroup_tree.h"
#include "agent/audit/limit_text.h"
#include "agent/audit/tables.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

std::string OrDash(std::optional<uint64_t> bytes) { return bytes ? HumanBytes(*bytes) : "-"; }

std::string Shims(const CgroupLine& line, const AuditReport& report) {
  std::vector<ProcessRow> rows;
  for (const CgroupRow* cgroup : line.covers) {
    rows.insert(rows.end(), cgroup->processes.begin(), cgroup->processes.end());
  }
  return ShimSummary(rows, report);
}

std::string Name(const CgroupLine& line) {
  return absl::StrCat(std::string(2 * line.depth, ' '), Printable(line.label));
}

std::vector<std::string> Cells(const CgroupLine& line, const AuditReport& report) {
  const bool watched = report.watched > absl::ZeroDuration();
  const CgroupSums& sums = line.itself ? line.row->own : line.row->subtree;
  std::vector<std::string> cells = {Name(line), absl::StrCat(sums.processes),
                                    HumanBytes(sums.locked_bytes)};
  if (watched) {
    cells.push_back(absl::StrCat(sums.peak.exact ? "" : "~", HumanBytes(sums.peak.bytes)));
  }
  cells.insert(cells.end(), {OrDash(sums.unevictable_bytes), HumanBytes(sums.pinned_bytes),
                             LimitText(sums.limit_min_bytes),
                             Percent(sums.usage_max_ratio, sums.limit_min_bytes.has_value())});
  if (watched) cells.push_back(absl::StrCat(sums.denials.Total()));
  cells.push_back(Shims(line, report));
  return cells;
}

}  // namespace

Table CgroupTable(const AuditReport& report, const TableOptions& options) {
  const bool watched = report.watched > absl::ZeroDuration();
  std::vector<Align> columns = {Align::kLeft, Align::kRight, Align::kRight};
  std::vector<std::vector<std::string>> cells = {{"CGROUP", "PROCS", "LOCKED"}};
  const auto add = [&](const char* heading, Align align) {
    cells[0].push_back(heading);
    columns.push_back(align);
  };
  if (watched) add("PEAK", Align::kRight);
  add("UNEVICT", Align::kRight);
  add("PINNED", Align::kRight);
  add("LIMIT", Align::kRight);
  add("USE%", Align::kRight);
  if (watched) add("DENIED", Align::kRight);
  add("SHIM", Align::kLeft);

  Table table;
  table.of = report.cgroups.size();
  for (const CgroupLine& line : CgroupLines(report, options)) {
    table.rows += line.itself ? 0 : 1;
    cells.push_back(Cells(line, report));
  }
  if (table.rows > 0) table.text = FormatTable(columns, std::move(cells), /*elastic=*/0);
  return table;
}

}  // namespace pagewarden
