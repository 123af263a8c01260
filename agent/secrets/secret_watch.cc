// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/secret_watch.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/clock.h"
#include "agent/secrets/pacer.h"
#include "agent/secrets/secret_check.h"

namespace pagewarden {
namespace {

constexpr int kLowestPriority = 19;
// ioprio_set(2); the kernel's header for it is not C++.
constexpr int kIoprioWhoProcess = 1;
constexpr int kIoprioIdle = 3 << 13;
constexpr int kMostSettles = 10;

// Not SCHED_IDLE: whoever reads another process's memory holds the lock of its mappings for
// a moment, and under that policy may be kept from going on for as long as others are busy.
void YieldToOthers() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLowestPriority);
  syscall(SYS_ioprio_set, kIoprioWhoProcess, 0, kIoprioIdle);
  pthread_setname_np(pthread_self(), "secret-watch");
}

// Signals are for the thread that waits for them.
std::thread StartWithoutSignals(std::function<void()> run) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigdelset(&all, signal);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(run));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

bool Contains(const std::vector<pid_t>& pids, pid_t pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

bool Selects(const SecretTargets& targets, const std::string& policy, pid_t pid) {
  const auto pids = targets.processes.find(policy);
  return pids != targets.processes.end() && Contains(pids->second, pid);
}

// What is still true of the report.
SecretReport Current(SecretReport report, const SecretTargets& targets) {
  const auto watched = WatchedFiles(targets);
  report.nothing_to_check = watched.empty();
  const auto is_watched = [&](const std::string& policy, const std::string& file) {
    const auto files = watched.find(policy);
    if (files == watched.end()) return false;
    return file.empty() ||
           std::find(files->second.begin(), files->second.end(), file) != files->second.end();
  };
  auto& copies = report.copies;
  copies.erase(std::remove_if(copies.begin(), copies.end(),
                              [&](const SecretCopies& found) {
                                return !is_watched(found.policy, found.file) ||
                                       !Selects(targets, found.policy, found.pid);
                              }),
               copies.end());
  auto& errors = report.errors;
  errors.erase(std::remove_if(
                   errors.begin(), errors.end(),
                   [&](const SecretError& error) { return !is_watched(error.policy, error.file); }),
               errors.end());
  return report;
}

}  // namespace

class SecretWatch::Worker {
 public:
  explicit Worker(SecretWatchOptions options) : options_(options), pacer_(options.duty) {
    // Neither a core dump nor another program of this user may get at the secrets through us.
    prctl(PR_SET_DUMPABLE, 0);
    thread_ = StartWithoutSignals([this] { Run(); });
  }

  ~Worker() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    pacer_.End();
    thread_.join();
  }

  void SetTargets(SecretTargets targets) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool is_same = WatchedFiles(targets) == WatchedFiles(targets_);
    targets_ = std::move(targets);
    if (is_same) return;
    const absl::Time now = absl::Now();
    first_change_ = std::min(first_change_, now);
    due_ = std::min(now + options_.settle, first_change_ + kMostSettles * options_.settle);
    changed_.notify_all();
  }

  SecretReport Latest() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return Current(latest_, targets_);
  }

  void CheckSoon() {
    const std::lock_guard<std::mutex> lock(mutex_);
    due_ = absl::InfinitePast();
    changed_.notify_all();
  }

 private:
  void Run() {
    YieldToOthers();
    for (;;) {
      SecretTargets targets;
      if (!WaitForTurn(targets)) return;
      const auto still = [this](const std::string& policy, pid_t pid) {
        const std::lock_guard<std::mutex> lock(mutex_);
        return Selects(targets_, policy, pid);
      };
      // A change of identity makes a process dumpable again as a kernel setting says.
      prctl(PR_SET_DUMPABLE, 0);
      auto report = CheckSecrets(targets, still, options_.confirm_after, pacer_);
      if (!report.ok()) return;
      const std::lock_guard<std::mutex> lock(mutex_);
      latest_ = *std::move(report);
    }
  }

  // False: to end. The next turn is `every` after this one's start.
  bool WaitForTurn(SecretTargets& targets) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stop_) {
      const absl::Duration left = due_ - absl::Now();
      if (left <= absl::ZeroDuration()) {
        due_ = absl::Now() + options_.every;
        first_change_ = absl::InfiniteFuture();
        targets = targets_;
        if (!WatchedFiles(targets).empty()) return true;
        continue;
      }
      changed_.wait_for(lock, absl::ToChronoNanoseconds(std::min(left, absl::Hours(1))));
    }
    return false;
  }

  const SecretWatchOptions options_;
  Pacer pacer_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  SecretTargets targets_ ABSL_GUARDED_BY(mutex_);
  SecretReport latest_ ABSL_GUARDED_BY(mutex_);
  absl::Time due_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  absl::Time first_change_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  std::thread thread_;
};

SecretWatch::SecretWatch(SecretWatchOptions options) : worker_(std::make_unique<Worker>(options)) {}
SecretWatch::~SecretWatch() = default;

void SecretWatch::SetTargets(std::shared_ptr<const PolicySet> policies,
                             std::map<std::string, std::vector<pid_t>> processes) {
  worker_->SetTargets({std::move(policies), std::move(processes)});
}

SecretReport SecretWatch::Latest() const { return worker_->Latest(); }

void SecretWatch::CheckSoon() { worker_->CheckSoon(); }

}  // namespace pagewarden
