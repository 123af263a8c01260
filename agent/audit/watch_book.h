// SPDX-License-Identifier: Apache-2.0
// What a watch adds up over its snapshots and events, for the next report.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "agent/audit/observations.h"
#include "agent/audit/report.h"
#include "agent/watch/watch.h"

namespace pagewarden {

// Bounded: a process or cgroup that has ended loses its peak, and refusals of more than
// 4096 cgroups are counted together, in one named "(others)". Not thread-safe.
class WatchBook {
 public:
  void Add(const WatchEvent& event);
  void Add(const AuditReport& report);

  // `watch` may be null: no events, and every peak is sampled. Valid until the next call of
  // any of these.
  const Observations& Observe(const Watch* watch, absl::Duration watched);

 private:
  void Add(const CgroupRow& cgroup);
  void Add(const ProcessRow& row);

  Observations seen_;
  uint64_t round_ = 0;  // reports so far
};

}  // namespace pagewarden
