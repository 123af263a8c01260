// SPDX-License-Identifier: Apache-2.0
#include "agent/coverage/coverage_reader.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/clock.h"
#include "agent/audit/text.h"
#include "agent/coverage/assessment.h"
#include "agent/coverage/in_force.h"
#include "agent/coverage/live_generation.h"
#include "agent/coverage/next_step.h"
#include "agent/coverage/selection.h"
#include "agent/proof/process_stat.h"

namespace pagewarden {
namespace {

// One program in one process.
struct ProgramRun {
  uint64_t start_time_ns = 0;
  uint64_t exec_id = 0;
  std::string exe;

  bool operator==(const ProgramRun& other) const {
    return start_time_ns == other.start_time_ns && exec_id == other.exec_id && exe == other.exe;
  }
};

struct KnownProcess {
  ProgramRun program;
  uint64_t round = 0;                 // the last that it had a row in
  std::optional<LaunchFacts> launch;  // read when the first text is asked for
  std::optional<uint64_t> live_image;
  bool looked_for_live_image = false;
  Assessment assessment;
  std::string policy;  // that the text is of
  std::string text;
  std::vector<std::string> protections;
  absl::Time protections_read = absl::InfinitePast();
};

// Of CLOCK_BOOTTIME, which start times are counted by.
absl::Time BootTime(absl::Time now) {
  timespec since_boot;
  if (clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) return absl::InfinitePast();
  return now - absl::DurationFromTimespec(since_boot);
}

// 0: unknown. To the clock tick, rounded down, as /proc has it.
uint64_t StartTimeByProc(pid_t pid) {
  const auto stat = ReadProcessStat(pid);
  const auto ticks_a_second = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  if (!stat.ok() || stat->start_ticks > UINT64_MAX / 1'000'000'000) return 0;
  return stat->start_ticks * 1'000'000'000 / ticks_a_second;
}

// Of a process without memory nothing can be open. With rights to see it, the others have
// an executable.
bool IsAtItsEnd(const ProcessRow& row) {
  if (!row.exe.empty()) return false;
  const auto stat = ReadProcessStat(row.pid);
  return !stat.ok() || !stat->has_memory;
}

// A file's change time is when it was put where it is, or written last.
absl::Time ChangeTime(const AllocationPolicy& policy) {
  struct stat info;
  if (policy.at.source == nullptr || stat(policy.at.source->name().c_str(), &info) != 0) {
    return absl::InfinitePast();
  }
  return absl::TimeFromTimespec(info.st_ctim);
}

}  // namespace

struct CoverageReader::State {
  std::string machine_id = ReadHostIdentity().machine_id;
  Selection selection;
  ExecutableCache executables;
  ProtectionsInForce in_force;
  std::map<std::string, absl::Time> in_force_since;  // policies, by name
  absl::flat_hash_map<pid_t, KnownProcess> known;    // those that were selected
  uint64_t round = 0;
  absl::Time now;
  absl::Time boot;

  void StartRound(const PolicyStatus& policies, const PodTable& pods);
  void NotePolicies(const std::vector<AllocationPolicy>& policies);
  KnownProcess& Recall(const ProcessRow& row);
  const LaunchFacts& Launch(const ProcessRow& row, KnownProcess& known);
  uint32_t NewestGeneration(const ProcessRow& row, KnownProcess& known);
  Assessment Assess(const ProcessRow& row, const AllocationPolicy& policy, KnownProcess& known);
  CoveredProcess Judge(const ProcessRow& row, const AllocationPolicy& policy,
                       const CgroupHierarchy* hierarchy);
  void ForgetEnded();
};

void CoverageReader::State::StartRound(const PolicyStatus& policies, const PodTable& pods) {
  ++round;
  now = absl::Now();
  boot = BootTime(now);
  const HostIdentity host{machine_id, absl::ToCivilDay(now, absl::UTCTimeZone())};
  if (selection.Update(policies.set, host, pods)) NotePolicies(policies.set->policies);
}

// A policy that changes goes on to be in force.
void CoverageReader::State::NotePolicies(const std::vector<AllocationPolicy>& policies) {
  std::map<std::string, absl::Time> since;
  for (const AllocationPolicy& policy : policies) {
    const auto before = in_force_since.find(policy.metadata.name);
    since[policy.metadata.name] =
        before == in_force_since.end() ? std::min(ChangeTime(policy), now) : before->second;
  }
  in_force_since = std::move(since);
}

KnownProcess& CoverageReader::State::Recall(const ProcessRow& row) {
  ProgramRun program{row.start_time_ns != 0 ? row.start_time_ns : StartTimeByProc(row.pid),
                     row.exec_id, row.exe};
  KnownProcess& process = known[row.pid];
  if (!(process.program == program)) {
    process = KnownProcess();
    process.program = std::move(program);
  }
  process.round = round;
  return process;
}

const LaunchFacts& CoverageReader::State::Launch(const ProcessRow& row, KnownProcess& process) {
  if (!process.launch) process.launch = ReadLaunchFacts(row, executables);
  return *process.launch;
}

uint32_t CoverageReader::State::NewestGeneration(const ProcessRow& row, KnownProcess& process) {
  if (row.shim->generation == 0) return 0;
  if (!process.looked_for_live_image) {
    process.live_image = FindLiveImage(row.pid);
    process.looked_for_live_image = true;
  }
  return process.live_image ? ReadGeneration(row.pid, *process.live_image) : 0;
}

Assessment CoverageReader::State::Assess(const ProcessRow& row, const AllocationPolicy& policy,
                                         KnownProcess& process) {
  if (row.shim) return AssessShim(*row.shim, policy, NewestGeneration(row, process));
  if (row.shim_loaded) {
    const char* const word = row.shim_unreadable ? "unreadable" : "invalid_ledger";
    return {CoverageState::kUncovered, word, ""};
  }
  const absl::Time started =
      boot + absl::Nanoseconds(static_cast<int64_t>(process.program.start_time_ns));
  return AssessWithoutShim(Launch(row, process), started, in_force_since[policy.metadata.name],
                           now);
}

CoveredProcess CoverageReader::State::Judge(const ProcessRow& row, const AllocationPolicy& policy,
                                            const CgroupHierarchy* hierarchy) {
  KnownProcess& process = Recall(row);
  const bool settled = !row.shim_loaded && process.policy == policy.metadata.name &&
                       process.assessment.reason != "unreadable" &&
                       process.assessment.reason != "starting";
  Assessment assessment = settled ? process.assessment : Assess(row, policy, process);
  if (assessment.reason.empty()) {
    process.text.clear();
    process.protections.clear();
    process.protections_read = absl::InfinitePast();
  } else if (assessment.detail != process.assessment.detail || process.text.empty() ||
             assessment.reason != process.assessment.reason ||
             process.policy != policy.metadata.name) {
    const LaunchFacts& launch = Launch(row, process);
    process.text = CoverageText(assessment, row, policy, launch.environment, launch.is_prepared);
  }
  process.assessment = std::move(assessment);
  process.policy = policy.metadata.name;
  if (!process.assessment.reason.empty() &&
      now - process.protections_read >= ProtectionsInForce::kMaxAge) {
    process.protections = in_force.Of(row, hierarchy, now);
    process.protections_read = now;
  }
  return {row.pid,
          Printable(row.comm),
          row.exe,
          row.cgroup,
          process.policy,
          policy.spec.mode,
          process.assessment.state,
          process.assessment.reason,
          process.text,
          process.protections};
}

void CoverageReader::State::ForgetEnded() {
  for (auto entry = known.begin(); entry != known.end();) {
    const auto next = std::next(entry);
    if (entry->second.round != round) known.erase(entry);
    entry = next;
  }
}

CoverageReader::CoverageReader() : state_(std::make_unique<State>()) {}
CoverageReader::CoverageReader(CoverageReader&&) noexcept = default;
CoverageReader& CoverageReader::operator=(CoverageReader&&) noexcept = default;
CoverageReader::~CoverageReader() = default;

void CoverageReader::Prepare(const PolicyStatus& policies, const PodTable& pods,
                             SnapshotOptions& options) const {
  const absl::CivilDay today = absl::ToCivilDay(absl::Now(), absl::UTCTimeZone());
  if (!state_->selection.IsUpToDate(policies.set, today, pods)) options.sum_up_quiet = false;
  for (const auto& [pid, process] : state_->known) options.rows_of.insert(pid);
}

CoverageReport CoverageReader::Read(const AuditReport& report, const PolicyStatus& policies,
                                    const CgroupHierarchy* hierarchy, const PodTable& pods) {
  state_->StartRound(policies, pods);
  CoverageReport coverage;
  for (const CgroupRow& cgroup : report.cgroups) {
    for (const ProcessRow& row : cgroup.processes) {
      const AllocationPolicy* const policy = state_->selection.Find(cgroup.path, row.exe);
      if (policy == nullptr || IsAtItsEnd(row)) continue;
      coverage.processes.push_back(state_->Judge(row, *policy, hierarchy));
    }
  }
  state_->ForgetEnded();
  std::sort(coverage.processes.begin(), coverage.processes.end(),
            [](const CoveredProcess& a, const CoveredProcess& b) { return a.pid < b.pid; });
  return coverage;
}

}  // namespace pagewarden
