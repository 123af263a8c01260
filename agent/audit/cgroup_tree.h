// SPDX-License-Identifier: Apache-2.0
// The cgroups of a report as the tree that people read.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "agent/audit/formats.h"
#include "agent/audit/report.h"

namespace pagewarden {

struct CgroupLine {
  const CgroupRow* row = nullptr;
  size_t depth = 0;     // 0: a top
  std::string label;    // path below the line above it, container ids cut short
  bool itself = false;  // the figures are those of the row's own processes
  // Processes of this line and of those hidden in it.
  std::vector<const CgroupRow*> covers;
};

// Heaviest subtree first, lines of a parent before those of its children.
std::vector<CgroupLine> CgroupLines(const AuditReport& report, const TableOptions& options);

}  // namespace pagewarden
