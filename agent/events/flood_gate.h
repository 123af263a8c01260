// SPDX-License-Identifier: Apache-2.0
// Events of a watch, but not a hundred thousand a second: the first few of a kind are told
// one by one, the others summed up in one event a minute.
//
//   FloodGate gate;
//   for (const WatchEvent& event : watch.Poll(timeout)) gate.Add(event);
//   std::vector<Event> events = gate.Take(absl::Now());
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/time/time.h"
#include "agent/events/event.h"
#include "agent/watch/watch.h"

namespace pagewarden {

struct FloodGateOptions {
  size_t burst = 10;                           // of one kind, told one by one in each period
  absl::Duration period = absl::Seconds(60);   // then a sum
  size_t max_kinds = 1024;                     // more are one kind together
};

// Kinds are type, cgroup and reason. Not thread-safe.
class FloodGate {
 public:
  explicit FloodGate(FloodGateOptions options = {}) : options_(options) {}

  void Add(const WatchEvent& event);

  // Those told one by one since the last call, then the sums that are due. `all`: the sums
  // of periods that are not over too, before the agent ends.
  std::vector<Event> Take(absl::Time now, bool all = false);

 private:
  using Kind = std::tuple<std::string, std::string, std::string>;  // type, cgroup, reason
  struct Period {
    absl::Time start;
    size_t told = 0;
    uint64_t untold = 0;  // with repeats
    WatchEvent last;      // untold
  };

  FloodGateOptions options_;
  std::map<Kind, Period> periods_;
  std::vector<Event> events_;
};

}  // namespace pagewarden
