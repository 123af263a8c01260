// SPDX-License-Identifier: Apache-2.0
// Keeps a thread's work to a part of the time, and ends it when it is told to.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace pagewarden {

class Pacer {
 public:
  // `duty`: the part of the time, above 0 and up to 1.
  // `before_rest`, if any, is called by GoOn.
  explicit Pacer(double duty, std::function<void()> before_rest = nullptr)
      : duty_(duty), before_rest_(std::move(before_rest)) {}

  // Of one thread, between short pieces of its work. Sleeps when it has worked for long
  // enough. False: it is to end.
  bool GoOn();

  // Sleeps. False: it is to end.
  bool Sleep(absl::Duration duration);

  // From any thread; for good.
  void End();

 private:
  const double duty_;
  const std::function<void()> before_rest_;
  absl::Duration worked_;  // of the thread's processor time, up to its last rest
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pagewarden
