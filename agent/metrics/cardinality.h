// SPDX-License-Identifier: Apache-2.0
// Which cgroups get series of their own. docs/metrics.md, "Cardinality".
//
//   CgroupChoice choice(200);
//   const CgroupSplit split = choice.Split(FiguresOf(view, …), view.time);
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/metrics/cgroup_figures.h"

namespace pagewarden {

// How urgent it is to see a cgroup by itself.
enum class Urgency {
  kNothing,    // nothing of it is to be shown
  kQuiet,      // had memory locked, or has some pinned
  kLocking,    // has memory locked
  kWatched,    // has a budget or secrets
  kRefused,    // had refusals, lately or long ago
  kAttention,  // is over a budget or near a limit, or not fenced
};

Urgency UrgencyOf(const CgroupFigures& figures);

// Indexes into the figures, ascending.
struct CgroupSplit {
  std::vector<size_t> exported;
  std::vector<size_t> folded;  // the rest, those with nothing to show too
  size_t tracked = 0;          // those with something to show
};

// Remembers what it chose: who has series keeps them, unless another is more urgent or, at
// the same urgency, locks more than twice as much. Urgency falls only after five minutes.
// Not thread-safe.
class CgroupChoice {
 public:
  explicit CgroupChoice(size_t max_cgroups) : max_cgroups_(max_cgroups) {}

  CgroupSplit Split(const std::vector<CgroupFigures>& cgroups, absl::Time now);

 private:
  struct Kept {
    Urgency urgency = Urgency::kNothing;
    absl::Time since;  // last time that it was this urgent
  };

  Urgency Steady(const CgroupFigures& figures, absl::Time now) const;

  size_t max_cgroups_;
  std::map<std::string, Kept> kept_;  // those exported, by path
};

}  // namespace pagewarden
