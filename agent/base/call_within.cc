// SPDX-License-Identifier: Apache-2.0
#include "agent/base/call_within.h"

#include <linux/close_range.h>
#include <unistd.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "agent/base/blocked_signals.h"

namespace pagewarden {
namespace {

constexpr size_t kMostLate = 16;

// Keys of the calls that have not ended in time. Never freed: their threads outlive main().
class LateCalls {
 public:
  static LateCalls& Get() {
    static auto* const all = new LateCalls;
    return *all;
  }

  bool Allow(int64_t key) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return keys_.size() < kMostLate && keys_.count(key) == 0;
  }
  void Add(int64_t key) {
    const std::lock_guard<std::mutex> lock(mutex_);
    keys_.insert(key);
  }
  void Remove(int64_t key) {
    const std::lock_guard<std::mutex> lock(mutex_);
    keys_.erase(key);
  }

 private:
  std::mutex mutex_;
  std::set<int64_t> keys_;
};

// What a caller and its thread share. The caller leaves it behind when a call is late.
class Desk {
 public:
  // Whether the call has ended within `limit`; if not, the desk is not to be used again.
  bool Call(int64_t key, absl::Duration limit, std::function<void()> call) {
    std::unique_lock<std::mutex> lock(mutex_);
    call_ = std::move(call);
    key_ = key;
    changed_.notify_all();
    if (changed_.wait_for(lock, absl::ToChronoNanoseconds(limit), [this] { return !call_; })) {
      return true;
    }
    LateCalls::Get().Add(key_);
    is_late_ = end_ = true;
    return false;
  }

  void End() {
    const std::lock_guard<std::mutex> lock(mutex_);
    end_ = true;
    changed_.notify_all();
  }

  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return end_ || call_; });
      if (!call_) return;
      lock.unlock();
      call_();  // the caller changes it only when it is empty
      lock.lock();
      call_ = nullptr;
      changed_.notify_all();
      if (!is_late_) continue;
      LateCalls::Get().Remove(key_);
      return;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> call_;  // empty: nothing to do
  int64_t key_ = 0;
  bool end_ = false;
  bool is_late_ = false;
};

void StartThread(const std::shared_ptr<Desk>& desk) {
  const BlockedSignals blocked;
  std::thread([desk] {
    // Even SIGKILL may not end a late call: locks and sockets of the program must not live on
    // with it. Before Linux 5.9 they do.
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_UNSHARE);
    desk->Work();
  }).detach();
}

struct OwnDesk {
  std::shared_ptr<Desk> desk;
  ~OwnDesk() { End(); }
  void End() {
    if (desk != nullptr) desk->End();
    desk.reset();
  }
};

thread_local OwnDesk own;

}  // namespace

bool CallWithin(int64_t key, absl::Duration limit, std::function<void()> call) {
  if (!LateCalls::Get().Allow(key)) return false;
  if (own.desk == nullptr) {
    own.desk = std::make_shared<Desk>();
    StartThread(own.desk);
  }
  if (own.desk->Call(key, limit, std::move(call))) return true;
  own.desk.reset();
  return false;
}

void EndCallThread() { own.End(); }

}  // namespace pagewarden
