// SPDX-License-Identifier: Apache-2.0
// What system calls cost while the watch has its hooks attached, against none: the
// two take turns, short slices of each, so that load on the machine hits both alike.
//
// Times are processor time. Prints `workload<TAB>hooks<TAB>nanoseconds without<TAB>with`, medians,
// and for the default hooks `program<TAB>question<TAB>runs<TAB>nanoseconds a run`. A machine on
// which the watch cannot be opened: exit status 77.
//
//   hooks_bench ROUNDS
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/cgroup/hierarchy.h"
#include "agent/watch/watch.h"
#include "timing.h"

namespace pagewarden::bench {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kFaults = 256;

void* Map(size_t bytes) {
  return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void GetParent() { KeepAlive(reinterpret_cast<void*>(syscall(SYS_getppid))); }

void LockAndUnlock() {
  static void* const page = Map(kPage);
  mlock(page, kPage);
  munlock(page, kPage);
}

void MapAndUnmap() { munmap(Map(kPage), kPage); }

// Per fault: MADV_DONTNEED is one call for all of them.
void Fault() {
  static char* const memory = static_cast<char*>(Map(kFaults * kPage));
  madvise(memory, kFaults * kPage, MADV_DONTNEED);
  for (size_t i = 0; i < kFaults; ++i) static_cast<volatile char*>(memory)[i * kPage] = 1;
}

void ForkAndExit() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
}

struct Workload {
  const char* name;
  void (*once)();
  int calls;       // a slice
  double divisor;  // of what one call is made
};

constexpr Workload kWorkloads[] = {
    {"getppid", GetParent, 100'000, 1}, {"mlock", LockAndUnlock, 3'000, 1},
    {"mmap", MapAndUnmap, 5'000, 1},    {"fault", Fault, 40, kFaults},
    {"fork", ForkAndExit, 60, 1},
};

// Processor time, of children that have ended as well: others may be running here.
double TimeSpent() {
  rusage children;
  getrusage(RUSAGE_CHILDREN, &children);
  const auto nanoseconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_usec) * 1e3;
  };
  return ThreadTime() + nanoseconds(children.ru_utime) + nanoseconds(children.ru_stime);
}

double Nanoseconds(const Workload& workload) {
  const double start = TimeSpent();
  for (int i = 0; i < workload.calls; ++i) workload.once();
  return (TimeSpent() - start) / workload.calls / workload.divisor;
}

// Runs the workloads in a process of its own: the watch's memory is not copied by fork.
class Worker {
 public:
  Worker() {
    int orders[2];
    int answers[2];
    if (pipe(orders) != 0 || pipe(answers) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      close(orders[1]);
      Work(orders[0], answers[1]);
    }
    orders_ = orders[1];
    answers_ = answers[0];
    close(orders[0]);
    close(answers[1]);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    close(orders_);
    close(answers_);
    waitpid(pid_, nullptr, 0);
  }

  double Measure(size_t workload) {
    double nanoseconds = 0;
    const bool answered = write(orders_, &workload, sizeof(workload)) == sizeof(workload) &&
                          read(answers_, &nanoseconds, sizeof(nanoseconds)) == sizeof(nanoseconds);
    if (!answered) exit(1);
    return nanoseconds;
  }

 private:
  [[noreturn]] static void Work(int orders, int answers) {
    size_t workload = 0;
    while (read(orders, &workload, sizeof(workload)) == sizeof(workload)) {
      const double nanoseconds = Nanoseconds(kWorkloads[workload]);
      if (write(answers, &nanoseconds, sizeof(nanoseconds)) != sizeof(nanoseconds)) break;
    }
    _exit(0);
  }

  pid_t pid_ = -1;
  int orders_ = -1;
  int answers_ = -1;
};

struct Samples {
  std::vector<double> without;
  std::vector<double> with;
};

using Table = std::vector<Samples>;  // by workload

struct Hooks {
  const char* name;
  WatchOptions options;
};

std::vector<Hooks> AllHooks() {
  std::vector<Hooks> hooks = {{"default", {}}, {"counted", {}}, {"trace_syscalls", {}}};
  hooks[1].options.count_runs = true;
  hooks[2].options.trace_syscalls = true;
  return hooks;
}

void MeasureAll(Worker& worker, Table& table, std::vector<double> Samples::*column) {
  for (size_t i = 0; i < std::size(kWorkloads); ++i) {
    (table[i].*column).push_back(worker.Measure(i));
  }
}

// One round: without, with, without. False: the watch cannot be opened.
bool Round(const CgroupHierarchy* hierarchy, const Hooks& hooks, Worker& worker, Table& table) {
  MeasureAll(worker, table, &Samples::without);
  {
    const auto watch = Watch::Open(hierarchy, hooks.options);
    if (!watch.ok()) {
      fprintf(stderr, "hooks_bench: %s\n", std::string(watch.status().message()).c_str());
      return false;
    }
    MeasureAll(worker, table, &Samples::with);
  }
  MeasureAll(worker, table, &Samples::without);
  return true;
}

void PrintPrograms(const CgroupHierarchy* hierarchy, Worker& worker) {
  WatchOptions options;
  options.count_runs = true;
  const auto watch = Watch::Open(hierarchy, options);
  if (!watch.ok()) return;
  for (size_t i = 0; i < std::size(kWorkloads); ++i) worker.Measure(i);
  for (const HookReport& report : watch->hooks()) {
    const double each = report.runs == 0 ? 0
                                         : static_cast<double>(report.run_time_ns) /
                                               static_cast<double>(report.runs);
    printf("program\t%s\t%llu\t%.0f\n", report.question.c_str(),
           static_cast<unsigned long long>(report.runs), each);
  }
}

int Run(int rounds) {
  PinTo(sched_getcpu());
  Worker worker;
  const auto hierarchy = CgroupHierarchy::Find();
  const CgroupHierarchy* const found = hierarchy.ok() ? &*hierarchy : nullptr;
  const std::vector<Hooks> all = AllHooks();
  std::vector<Table> tables(all.size(), Table(std::size(kWorkloads)));
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < all.size(); ++i) {
      if (!Round(found, all[i], worker, tables[i])) return 77;
    }
  }
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = 0; j < std::size(kWorkloads); ++j) {
      printf("%s\t%s\t%.1f\t%.1f\n", kWorkloads[j].name, all[i].name, Median(tables[i][j].without),
             Median(tables[i][j].with));
    }
  }
  PrintPrograms(found, worker);
  return 0;
}

}  // namespace
}  // namespace pagewarden::bench

int main(int argc, char** argv) {
  const int rounds = argc == 2 ? atoi(argv[1]) : 0;
  if (rounds > 0) return pagewarden::bench::Run(rounds);
  fprintf(stderr, "usage: hooks_bench ROUNDS\n");
  return 2;
}
