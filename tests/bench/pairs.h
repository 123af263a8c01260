// SPDX-License-Identifier: Apache-2.0
// One thread: what allocate + write + wipe + free costs.
#pragma once

#include <sched.h>

#include <algorithm>

#include "secrets.h"

namespace pagewarden::bench {

inline constexpr int kPairWindows = 9;
inline constexpr double kPairWindow = 15e6;  // ns

template <typename Peer>
double TimePairs(size_t pairs) {
  const double start = ThreadTime();
  DoPairs<Peer>(pairs);
  return ThreadTime() - start;
}

// CPU nanoseconds: the least of several windows, since the machine is shared.
template <typename Peer>
double NanosecondsPerPair(size_t live_secrets) {
  PinTo(sched_getcpu());
  const auto live = LiveSecrets<Peer>(live_secrets);
  double best = 1e18;
  Inside<Peer>([&best] {
    size_t pairs = 64;
    while (TimePairs<Peer>(pairs) < kPairWindow) pairs *= 2;
    for (int window = 0; window < kPairWindows; ++window) {
      best = std::min(best, TimePairs<Peer>(pairs) / static_cast<double>(pairs));
    }
  });
  return best;
}

}  // namespace pagewarden::bench
