// SPDX-License-Identifier: Apache-2.0
// Counters of cgroups that come and go between series of their own and "__other__".
//
// Each count belongs to the one series that showed it first, for good: what happened while
// a cgroup was folded stays in "__other__" when it gets its own series, and what its own
// series has shown is not added to "__other__" when it loses them. So no counter goes
// down, nothing is counted twice in an increase(), and cgroups that are removed take
// nothing away. Their sum is that of the books, but for cgroups that had refusals in their
// own series and are folded now.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/metrics/cardinality.h"
#include "agent/metrics/cgroup_figures.h"

namespace pagewarden {

// Not thread-safe.
class FoldedCounts {
 public:
  // `state_path`: a file of ours, which may be missing; empty: nothing outlives this.
  explicit FoldedCounts(std::string state_path);

  // Lowers the counters of the exported to what their own series show, and gives `other`
  // those of "__other__". What changed is in the file before this returns, as far as it
  // can be written.
  void Settle(const CgroupSplit& split, std::vector<CgroupFigures>& cgroups, CgroupFigures& other);

 private:
  using Counts = std::map<std::string, uint64_t>;  // by reason; "": killed for memory
  struct Share {
    uint64_t id = 0;  // of the cgroup
    Counts own;       // shown in its own series
    Counts folded;    // in "__other__"
  };

  void Add(const CgroupFigures& figures, bool exported);
  void Load();
  void Save();

  std::string state_path_;
  bool changed_ = false;
  Counts total_;  // of "__other__"
  std::map<std::string, Share> shares_;
};

}  // namespace pagewarden
