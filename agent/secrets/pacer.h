// SPDX-License-Identifier: Apache-2.0
// Keeps a thread's work to a part of the time, and ends it when it is told to.
#pragma once

#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace pagewarden {

class Pacer {
 public:
  // `duty`: the part of the time, above 0 and up to 1.
  explicit Pacer(double duty) : duty_(duty) {}

  // Of one thread, between short pieces of its work. Sleeps when it has worked for long
  // enough. False: it is to end.
  bool GoOn();

  // Sleeps. False: it is to end.
  bool Sleep(absl::Duration duration);

  // From any thread; for good.
  void End();

 private:
  const double duty_;
  absl::Duration worked_;  // of the thread's processor time, up to its last rest
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pagewarden
