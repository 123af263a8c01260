// SPDX-License-Identifier: Apache-2.0
// What one process costs in a snapshot of all: /proc against the BPF task
// iterator. Prints `name<TAB>nanoseconds<TAB>baseline-name`, one row a line.
//
// The /proc row is the audit's own reader: status, limits, cgroup, and uid_map
// where the capability makes it matter. The second row only reads status, limits
// and cgroup: no reader of those files can be faster.
//
//   snapshot_bench [processes to fork, default 300]
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/audit/proc_source.h"
#include "agent/bpf/task_snapshot.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/proc/status.h"

namespace pagewarden {
namespace {

constexpr int kDefaultSleepers = 300;
constexpr int kRounds = 25;

using Clock = std::chrono::steady_clock;

std::vector<pid_t> StartSleepers(int count) {
  std::vector<pid_t> pids;
  for (int i = 0; i < count; ++i) {
    const pid_t pid = fork();
    if (pid < 0) break;
    if (pid == 0) {
      for (;;) pause();
    }
    pids.push_back(pid);
  }
  return pids;
}

void StopSleepers(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) kill(pid, SIGKILL);
  for (const pid_t pid : pids) waitpid(pid, nullptr, 0);
}

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

// Nanoseconds per process that the snapshot returned.
template <typename Snapshot>
double Time(Snapshot snapshot) {
  const auto start = Clock::now();
  const size_t processes = snapshot();
  const std::chrono::duration<double, std::nano> elapsed = Clock::now() - start;
  return processes == 0 ? 0 : elapsed.count() / static_cast<double>(processes);
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

void PrintRow(const char* name, const std::vector<double>& values, const char* baseline) {
  printf("snapshot per process, %s\t%.0f\tsnapshot per process, %s\n", name, Median(values),
         baseline);
}

int Run(int sleeper_count) {
  const auto hierarchy = CgroupHierarchy::Find();
  const CgroupHierarchy* const cgroups = hierarchy.ok() ? &*hierarchy : nullptr;
  const auto iterator = TaskSnapshot::Open(
      cgroups == nullptr ? std::nullopt : std::make_optional(cgroups->version()));
  if (!iterator.ok()) {
    fprintf(stderr, "snapshot_bench: no iter/task row : %s\n",
            std::string(iterator.status().message()).c_str());
  }
  const std::vector<pid_t> sleepers = StartSleepers(sleeper_count);
  std::vector<double> proc;
  std::vector<double> files;
  std::vector<double> bpf;
  for (int round = 0; round < kRounds; ++round) {  // interleaved: drift of the machine hits all
    proc.push_back(Time([&] { return SnapshotProc(cgroups); }));
    files.push_back(Time([] { return SnapshotProcWithoutParsing(); }));
    if (!iterator.ok()) continue;
    bpf.push_back(Time([&] {
      const auto records = iterator->Read();
      return records.ok() ? records->size() : 0;
    }));
  }
  StopSleepers(sleepers);
  PrintRow("/proc", proc, "/proc");
  PrintRow("/proc, files read but not parsed", files, "/proc");
  if (iterator.ok()) PrintRow("iter/task", bpf, "/proc");
  return 0;
}

}  // namespace
}  // namespace pagewarden

int main(int argc, char** argv) {
  return pagewarden::Run(argc > 1 ? atoi(argv[1]) : pagewarden::kDefaultSleepers);
}
