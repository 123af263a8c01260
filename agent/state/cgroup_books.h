// SPDX-License-Identifier: Apache-2.0
// The books of cgroups: of those that lock memory, or were refused to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "agent/audit/report.h"
#include "agent/cgroup/figure_cache.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/state/books.h"
#include "agent/watch/watch.h"

namespace pagewarden {

// Bounded: more than 8192 cgroups are one, kOtherName. Not thread-safe.
class CgroupBooks {
 public:
  explicit CgroupBooks(const CgroupHierarchy* hierarchy) : hierarchy_(hierarchy) {}

  void AddDenial(const WatchEvent& event, std::map<std::string, CgroupBook>& books);
  void Update(const AuditReport& report, absl::Time now, std::map<std::string, CgroupBook>& books);

  // The kernel's count of OOM kills, by cgroup, when it was last read.
  std::map<std::string, uint64_t>& oom_seen() { return oom_seen_; }
  const std::map<std::string, uint64_t>& oom_seen() const { return oom_seen_; }
  // Cgroups whose books have changed since this was emptied.
  std::set<std::string>& changed() { return changed_; }

 private:
  // As read from the kernel.
  struct OomKills {
    std::optional<uint64_t> first;  // when the cgroup was first seen
    std::optional<uint64_t> last;   // nullopt: no such figure
  };

  // `id`: inode of the cgroup's directory; 0: not known.
  CgroupBook& BookOf(const std::string& path, uint64_t id, absl::Time now,
                     std::map<std::string, CgroupBook>& books);
  uint64_t IdOf(const CgroupRow& cgroup) const;
  uint64_t OomKillsBefore(const std::string& path) const;
  void RaisePeak(const std::string& path, uint64_t bytes, CgroupBook& book);
  void CountOomKills(const std::string& path, CgroupBook& book);
  void ReadOomKills(const AuditReport& report);
  void DropGone(absl::Time now, std::map<std::string, CgroupBook>& books);

  const CgroupHierarchy* hierarchy_;
  std::map<std::string, uint64_t> oom_seen_;
  FigureCache<OomKills> oom_kills_;
  std::set<std::string> changed_;
};

}  // namespace pagewarden
