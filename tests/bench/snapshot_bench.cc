// SPDX-License-Identifier: Apache-2.0
// What one process costs in a snapshot of all: /proc against the BPF programs.
// Prints `name<TAB>nanoseconds<TAB>baseline-name`, one row a line.
//
// The /proc row is the audit's own reader: status, limits, cgroup, and uid_map
// where the capability makes it matter. The second row only reads status, limits
// and cgroup: no reader of those files can be faster.
//
//   snapshot_bench [processes to fork, default 10000]
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "agent/audit/proc_source.h"
#include "agent/bpf/task_snapshot.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/proc/status.h"
#include "tests/bench/sleepers.h"
#include "tests/bench/timing.h"

namespace pagewarden {
namespace {

constexpr int kDefaultSleepers = 10000;
constexpr int kRounds = 9;

size_t SnapshotProc(const CgroupHierarchy* hierarchy) {
  size_t processes = 0;
  const auto pids = ListProcesses();
  if (!pids.ok()) return 0;
  for (const pid_t pid : *pids) {
    const auto row = ReadProcessRow(pid, hierarchy);
    processes += row.ok() && row->has_value();
  }
  return processes;
}

size_t ReadWithoutParsing(pid_t pid) {
  size_t bytes = 0;
  for (const char* file : {"status", "limits", "cgroup"}) {
    char path[64];
    char text[8192];
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t got = read(fd, text, sizeof(text));
    close(fd);
    if (got > 0) bytes += static_cast<size_t>(got);
  }
  return bytes;
}

size_t SnapshotProcWithoutParsing() {
  size_t processes = 0;
  const auto pids = ListProcesses();
  if (!pids.ok()) return 0;
  for (const pid_t pid : *pids) processes += ReadWithoutParsing(pid) > 0;
  return processes;
}

// Nanoseconds per process that the snapshot returned. CPU time: the machine may be shared.
template <typename Snapshot>
double Time(Snapshot snapshot) {
  const double start = bench::ThreadTime();
  const size_t processes = snapshot();
  const double elapsed = bench::ThreadTime() - start;
  return processes == 0 ? 0 : elapsed / static_cast<double>(processes);
}

void PrintRow(const char* name, const std::vector<double>& values, const char* baseline) {
  printf("snapshot per process, %s\t%.0f\tsnapshot per process, %s\n", name, bench::Median(values),
         baseline);
}

absl::StatusOr<TaskSnapshot> Open(const CgroupHierarchy* hierarchy, TaskHook hook,
                                  const char* name) {
  auto snapshot = TaskSnapshot::Open(
      hierarchy == nullptr ? std::nullopt : std::make_optional(hierarchy->version()), hook);
  if (!snapshot.ok()) {
    fprintf(stderr, "snapshot_bench: no row of %s : %s\n", name,
            std::string(snapshot.status().message()).c_str());
  }
  return snapshot;
}

double TimeBpf(const TaskSnapshot& snapshot) {
  return Time([&] {
    const auto records = snapshot.Read();
    return records.ok() ? records->size() : 0;
  });
}

int Run(const std::string& sleepers_path, int sleeper_count) {
  const auto hierarchy = CgroupHierarchy::Find();
  const CgroupHierarchy* const cgroups = hierarchy.ok() ? &*hierarchy : nullptr;
  const auto walk = Open(cgroups, TaskHook::kWalk, "bpf_iter_task");
  const auto iterator = Open(cgroups, TaskHook::kIterator, "iter/task");
  const bench::Sleepers sleepers(sleepers_path.c_str(), sleeper_count);
  if (sleepers.count() != sleeper_count) return 1;
  if (walk.ok()) TimeBpf(*walk);  // its array grows
  std::vector<double> proc;
  std::vector<double> files;
  std::vector<double> by_walk;
  std::vector<double> by_iterator;
  for (int round = 0; round < kRounds; ++round) {  // interleaved: drift of the machine hits all
    proc.push_back(Time([&] { return SnapshotProc(cgroups); }));
    files.push_back(Time([] { return SnapshotProcWithoutParsing(); }));
    if (walk.ok()) by_walk.push_back(TimeBpf(*walk));
    if (iterator.ok()) by_iterator.push_back(TimeBpf(*iterator));
  }
  PrintRow("/proc", proc, "/proc");
  PrintRow("/proc, files read but not parsed", files, "/proc");
  if (walk.ok()) PrintRow("bpf_iter_task", by_walk, "/proc");
  if (iterator.ok()) PrintRow("iter/task", by_iterator, "/proc");
  return 0;
}

}  // namespace
}  // namespace pagewarden

int main(int argc, char** argv) {
  return pagewarden::Run(pagewarden::bench::SleepersPath(argv[0]),
                         argc > 1 ? atoi(argv[1]) : pagewarden::kDefaultSleepers);
}
