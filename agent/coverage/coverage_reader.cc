// SPDX-License-Identifier: Apache-2.0
#include "agent/coverage/coverage_reader.h"

#include <algorithm>

#include "agent/audit/text.h"
#include "agent/policy/effective_mode.h"
#include "agent/policy/select.h"

namespace pagewarden {

struct CoverageReader::State {
  HostIdentity host = ReadHostIdentity();
};

CoverageReader::CoverageReader() : state_(std::make_unique<State>()) {}
CoverageReader::CoverageReader(CoverageReader&&) noexcept = default;
CoverageReader& CoverageReader::operator=(CoverageReader&&) noexcept = default;
CoverageReader::~CoverageReader() = default;

void CoverageReader::Prepare(const PolicyStatus&, const PodTable&, SnapshotOptions& options) const {
  options.sum_up_quiet = false;
}

CoverageReport CoverageReader::Read(const AuditReport& report, const PolicyStatus& policies,
                                    const CgroupHierarchy*, const PodTable& pods) {
  CoverageReport coverage;
  for (const CgroupRow& cgroup : report.cgroups) {
    Surroundings facts = FactsOfCgroup(cgroup.path, pods);
    for (const ProcessRow& row : cgroup.processes) {
      facts.executable = row.exe;
      const Choice choice = SelectPolicy(policies.set->policies, facts, state_->host);
      if (choice.policy == nullptr || choice.policy->spec.mode == abi::Mode::kDisabled) continue;
      CoveredProcess process;
      process.pid = row.pid;
      process.comm = Printable(row.comm);
      process.exe = row.exe;
      process.cgroup = row.cgroup;
      process.policy = choice.policy->metadata.name;
      process.mode = choice.policy->spec.mode;
      if (row.shim && row.shim->active && row.shim->policy == process.policy) {
        process.state = CoverageState::kCovered;
      } else if (row.shim) {
        process.reason = row.shim->active ? "other_policy" : row.shim->uncovered;
      } else {
        process.reason = row.shim_unreadable ? "unreadable" : "not_preloaded";
      }
      coverage.processes.push_back(std::move(process));
    }
  }
  std::sort(coverage.processes.begin(), coverage.processes.end(),
            [](const CoveredProcess& a, const CoveredProcess& b) { return a.pid < b.pid; });
  return coverage;
}

}  // namespace pagewarden
