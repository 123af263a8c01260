// SPDX-License-Identifier: Apache-2.0
// What the whole audit costs again and again: snapshot, locked mappings, residue,
// shims and report, once a second beside many processes. Prints `name<TAB>value`:
//   processes  cpu-percent (of one core)  rss-mib  first-ms  median-ms  source
//
//   audit_loop_bench [processes to fork, default 10000] [seconds, default 15]
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <string>
#include <utility>
#include <vector>

#include "agent/audit/report.h"
#include "agent/audit/snapshot_reader.h"
#include "agent/cgroup/hierarchy.h"
#include "tests/bench/sleepers.h"
#include "tests/bench/timing.h"

namespace pagewarden {
namespace {

double ProcessTime() { return bench::Nanoseconds(CLOCK_PROCESS_CPUTIME_ID); }

double ResidentMib() {
  long pages = 0;
  long resident = 0;
  FILE* const file = fopen("/proc/self/statm", "r");
  if (file == nullptr || fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
  if (file != nullptr) fclose(file);
  return static_cast<double>(resident) * 4096 / (1 << 20);
}

void SleepUntil(double when) {
  const double left = when - bench::WallTime();
  if (left <= 0) return;
  const timespec pause = {static_cast<time_t>(left / 1e9), static_cast<long>(left) % 1000000000};
  nanosleep(&pause, nullptr);
}

// CPU time of one audit; negative: it failed.
double AuditOnce(SnapshotReader& reader, const CgroupHierarchy* hierarchy, size_t& processes,
                 std::vector<HookReport>& hooks) {
  const double start = ProcessTime();
  SnapshotOptions options;
  options.sum_up_quiet = true;
  auto snapshot = reader.Read(options);
  if (!snapshot.ok()) return -1;
  hooks = snapshot->hooks;
  const AuditReport report = BuildReport(*std::move(snapshot), hierarchy, "");
  processes = 0;
  for (const CgroupRow& cgroup : report.cgroups) processes += cgroup.own.processes;
  bench::KeepAlive(const_cast<AuditReport*>(&report));
  return ProcessTime() - start;
}

int Run(const std::string& sleepers_path, int sleeper_count, int seconds) {
  const auto hierarchy = CgroupHierarchy::Find();
  const CgroupHierarchy* const cgroups = hierarchy.ok() ? &*hierarchy : nullptr;
  const bench::Sleepers sleepers(sleepers_path.c_str(), sleeper_count);
  if (sleepers.count() != sleeper_count) return 1;
  auto reader = SnapshotReader::Open(cgroups, SnapshotSource::kAuto);
  if (!reader.ok()) return 1;
  size_t processes = 0;
  std::vector<HookReport> hooks;
  const double first = AuditOnce(*reader, cgroups, processes, hooks);
  std::vector<double> times;
  const double began = bench::WallTime();
  const double cpu_before = ProcessTime();
  for (int i = 1; i <= seconds; ++i) {
    SleepUntil(began + i * 1e9);
    times.push_back(AuditOnce(*reader, cgroups, processes, hooks));
    if (times.back() < 0) return 1;
  }
  const double share = (ProcessTime() - cpu_before) / (bench::WallTime() - began);
  printf("processes\t%zu\ncpu-percent\t%.3f\nrss-mib\t%.1f\nfirst-ms\t%.1f\nmedian-ms\t%.2f\n",
         processes, share * 100, ResidentMib(), first / 1e6, bench::Median(times) / 1e6);
  for (const HookReport& hook : hooks) {
    if (hook.runs == 0) continue;
    printf("%s, %s\t%.2f\t%llu\n", hook.question.c_str(), hook.hook.c_str(),
           static_cast<double>(hook.run_time_ns) / static_cast<double>(hook.runs) / 1e6,
           static_cast<unsigned long long>(hook.runs));
  }
  return 0;
}

}  // namespace
}  // namespace pagewarden

int main(int argc, char** argv) {
  return pagewarden::Run(pagewarden::bench::SleepersPath(argv[0]), argc > 1 ? atoi(argv[1]) : 10000,
                         argc > 2 ? atoi(argv[2]) : 15);
}
