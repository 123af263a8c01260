// SPDX-License-Identifier: Apache-2.0
#include "agent/coverage/coverage.h"

#include <algorithm>

namespace pagewarden {

CoverageCounts CountCoverage(const CoverageReport& report) {
  CoverageCounts counts;
  counts.selected = report.processes.size();
  for (const CoveredProcess& process : report.processes) {
    counts.covered += process.state == CoverageState::kCovered;
    counts.pending += process.state == CoverageState::kPending;
    counts.uncovered += process.state == CoverageState::kUncovered;
  }
  return counts;
}

const CoveredProcess* FindCovered(const CoverageReport& report, pid_t pid) {
  const auto found = std::lower_bound(
      report.processes.begin(), report.processes.end(), pid,
      [](const CoveredProcess& process, pid_t wanted) { return process.pid < wanted; });
  return found != report.processes.end() && found->pid == pid ? &*found : nullptr;
}

const char* CoverageWord(CoverageState state) {
  switch (state) {
    case CoverageState::kCovered:
      return "covered";
    case CoverageState::kPending:
      return "pending";
    case CoverageState::kUncovered:
      return "uncovered";
  }
  return "uncovered";
}

}  // namespace pagewarden
