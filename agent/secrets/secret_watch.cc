// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/secret_watch.h"

#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/clock.h"
#include "agent/base/blocked_signals.h"
#include "agent/secrets/new_processes.h"
#include "agent/secrets/report_merge.h"

namespace pagewarden {
namespace {

constexpr int kMostSettles = 10;

}  // namespace

class SecretWatch::Worker {
 public:
  explicit Worker(SecretWatchOptions options)
      : options_(std::move(options)),
        new_(options_.settle, options_.between_new, options_.most_new) {
    // Nobody else of this user may make this process's rights his own.
    prctl(PR_SET_DUMPABLE, 0);
    const BlockedSignals blocked;
    thread_ = std::thread([this] { Run(); });
  }

  ~Worker() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void SetTargets(SecretTargets targets) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool is_same = WatchedFiles(targets) == WatchedFiles(targets_);
    const absl::Time now = absl::Now();
    const absl::Time new_due = new_.due();
    new_.Update(targets_, targets, now);
    targets_ = std::move(targets);
    if (!is_same) {
      first_change_ = std::min(first_change_, now);
      due_ = std::min(now + options_.settle, first_change_ + kMostSettles * options_.settle);
    }
    if (!is_same || new_.due() != new_due) changed_.notify_all();
  }

  SecretReport Latest() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return CurrentReport(latest_, targets_);
  }

  void CheckSoon() {
    const std::lock_guard<std::mutex> lock(mutex_);
    due_ = absl::InfinitePast();
    changed_.notify_all();
  }

 private:
  struct Turn {
    SecretTargets targets;
    bool is_complete = false;
  };

  void Run() {
    pthread_setname_np(pthread_self(), "secret-watch");
    CheckRunner runner(options_.runner, [this] { return !stop_; });
    const GroupChecker check = [&runner](const GroupRequest& request, const MayLook& may_look) {
      return runner.Run(request, may_look);
    };
    for (Turn turn; WaitForTurn(turn);) {
      const auto still = [this](const std::string& policy, pid_t pid) {
        const std::lock_guard<std::mutex> lock(mutex_);
        return IsTarget(targets_, policy, pid);
      };
      auto report =
          CheckSecrets(turn.targets, still, {options_.confirm_after, options_.duty}, check);
      if (!report.ok()) return;
      Take(turn, *std::move(report));
    }
  }

  void Take(const Turn& turn, SecretReport report) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (turn.is_complete) {
      latest_ = std::move(report);
    } else {
      new_.Rest(absl::Now(), report.took);
      AddToReport(turn.targets.processes, std::move(report), latest_);
    }
  }

  // False: to end. The next complete turn is `every` after this one's start.
  bool WaitForTurn(Turn& turn) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stop_) {
      const absl::Time now = absl::Now();
      if (TakeComplete(now, turn) || TakeNew(now, turn)) return true;
      const absl::Duration left = std::min(due_, new_.due()) - now;
      changed_.wait_for(
          lock, absl::ToChronoNanoseconds(std::clamp(left, absl::ZeroDuration(), absl::Hours(1))));
    }
    return false;
  }

  bool TakeComplete(absl::Time now, Turn& turn) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (due_ > now) return false;
    due_ = now + options_.every;
    first_change_ = absl::InfiniteFuture();
    new_.Clear();
    turn = {targets_, true};
    return !WatchedFiles(targets_).empty();
  }

  bool TakeNew(absl::Time now, Turn& turn) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (new_.due() > now) return false;
    turn = {{targets_.policies, new_.Take(now)}, false};
    return true;
  }

  const SecretWatchOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stop_ = false;  // written under the lock
  SecretTargets targets_ ABSL_GUARDED_BY(mutex_);
  SecretReport latest_ ABSL_GUARDED_BY(mutex_);
  NewProcesses new_ ABSL_GUARDED_BY(mutex_);
  absl::Time due_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  absl::Time first_change_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  std::thread thread_;
};

SecretWatch::SecretWatch(SecretWatchOptions options)
    : worker_(std::make_unique<Worker>(std::move(options))) {}
SecretWatch::~SecretWatch() = default;

void SecretWatch::SetTargets(std::shared_ptr<const PolicySet> policies, PidsByPolicy processes) {
  worker_->SetTargets({std::move(policies), std::move(processes)});
}

SecretReport SecretWatch::Latest() const { return worker_->Latest(); }

void SecretWatch::CheckSoon() { worker_->CheckSoon(); }

}  // namespace pagewarden
