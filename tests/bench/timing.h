// SPDX-License-Identifier: Apache-2.0
// Clocks and processors, for programs that measure on a shared machine.
#pragma once

#include <sched.h>
#include <stddef.h>
#include <time.h>

#include <algorithm>
#include <vector>

namespace pagewarden::bench {

inline double Nanoseconds(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

inline double ThreadTime() { return Nanoseconds(CLOCK_THREAD_CPUTIME_ID); }
inline double WallTime() { return Nanoseconds(CLOCK_MONOTONIC); }

// The processors that this process may use.
inline std::vector<int> Processors() {
  cpu_set_t set;
  std::vector<int> processors;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) processors.push_back(i);
  }
  return processors;
}

// Keeps the calling thread where it is measured.
inline void PinTo(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  sched_setaffinity(0, sizeof(set), &set);
}

inline double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The compiler must believe that somebody looks at the block.
inline void KeepAlive(void* p) { asm volatile("" : : "r"(p) : "memory"); }

}  // namespace pagewarden::bench
