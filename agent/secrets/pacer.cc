// SPDX-License-Identifier: Apache-2.0
#include "agent/secrets/pacer.h"

#include <ctime>

namespace pagewarden {
namespace {

// Some megabytes; long against what a sleep costs, short against a request.
constexpr absl::Duration kPiece = absl::Milliseconds(2);

absl::Duration ThreadTime() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

}  // namespace

bool Pacer::GoOn() {
  const absl::Duration busy = ThreadTime() - worked_;
  if (busy < kPiece) return true;
  if (before_rest_) before_rest_();
  const bool go_on = Sleep(busy * (1 / duty_ - 1));
  worked_ = ThreadTime();
  return go_on;
}

bool Pacer::Sleep(absl::Duration duration) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, absl::ToChronoNanoseconds(duration), [this] { return ended_; });
  return !ended_;
}

void Pacer::End() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

}  // namespace pagewarden
