// SPDX-License-Identifier: Apache-2.0
// The parts of the report for people.
#pragma once

#include <cstddef>
#include <string>

#include "agent/audit/formats.h"
#include "agent/audit/report.h"

namespace pagewarden {

struct Table {
  std::string text;
  size_t rows = 0;  // shown
  size_t of = 0;    // in the report
};

// A tree: each row with the sums of its subtree, heaviest first. "(itself)" is what the
// processes of a cgroup have whose children are shown below it. A chain of cgroups without
// processes is one row.
Table CgroupTable(const AuditReport& report, const TableOptions& options);
Table ProcessTable(const AuditReport& report, const TableOptions& options);
Table UidTable(const AuditReport& report, const TableOptions& options);

// A line for each finding, those of one kind cut to the first few; empty: none.
std::string FindingLines(const AuditReport& report);

// Charges that no row shows: of users, with who holds them, and locked System V segments.
std::string ResidueLines(const AuditReport& report);

// "nginx[4711]", with the name made printable.
std::string ProcessName(const std::string& comm, pid_t pid);

// "38%"; "-" without a limit.
std::string Percent(double ratio, bool limited);

}  // namespace pagewarden
