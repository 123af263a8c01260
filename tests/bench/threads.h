// SPDX-License-Identifier: Apache-2.0
// Pairs on one thread and on two, each pinned to a processor of its own.
#pragma once

#include <algorithm>
#include <thread>
#include <vector>

#include "pairs.h"
#include "secrets.h"

namespace pagewarden::bench {

inline constexpr size_t kThroughputWindows = 16;
inline constexpr double kThroughputWindow = 5e6;  // ns of wall time
inline constexpr double kThreadStart = 5e6;       // ns, for the threads to come up
inline constexpr double kBetweenClocks = 10e3;    // ns

// So many that reading the clock costs little. The least of several tries: the
// first pair of a thread, and one that was interrupted, take as long as many.
template <typename Peer>
size_t PairsBetweenClocks() {
  size_t pairs = 1;
  for (;;) {
    double least = TimePairs<Peer>(pairs);
    for (int retry = 0; retry < 3; ++retry) least = std::min(least, TimePairs<Peer>(pairs));
    if (least >= kBetweenClocks) return pairs;
    pairs *= 2;
  }
}

// How many pairs this thread had done at the end of each window.
template <typename Peer>
void CountPairs(int processor, double start, std::vector<double>& marks) {
  PinTo(processor);
  Inside<Peer>([&] {
    const size_t batch = PairsBetweenClocks<Peer>();
    while (WallTime() < start) Pair<Peer>();
    double pairs = 0;
    for (size_t window = 1; window <= marks.size(); ++window) {
      const double end = start + static_cast<double>(window) * kThroughputWindow;
      for (; WallTime() < end; pairs += static_cast<double>(batch)) DoPairs<Peer>(batch);
      marks[window - 1] = pairs;
    }
  });
}

// Pairs per second of all threads together, in their best window.
template <typename Peer>
double Throughput(const std::vector<int>& processors) {
  const double start = WallTime() + kThreadStart;
  std::vector<std::vector<double>> marks(processors.size(),
                                         std::vector<double>(kThroughputWindows));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < processors.size(); ++i) {
    threads.emplace_back([&, i] { CountPairs<Peer>(processors[i], start, marks[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  double best = 0;
  for (size_t window = 1; window < kThroughputWindows; ++window) {
    double pairs = 0;
    for (const auto& mark : marks) pairs += mark[window] - mark[window - 1];
    best = std::max(best, pairs);
  }
  return best / kThroughputWindow * 1e9;
}

}  // namespace pagewarden::bench
