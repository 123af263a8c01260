// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/report.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "agent/audit/rollup.h"
#include "agent/cgroup/paths.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPageBytes = 4096;

template <typename Map>
typename Map::mapped_type Lookup(const Map& map, const typename Map::key_type& key) {
  const auto found = map.find(key);
  return found == map.end() ? typename Map::mapped_type() : found->second;
}

const UidResidue* ResidueOf(const AuditReport& report, uid_t uid) {
  const auto found = report.residue_details.find(uid);
  return found == report.residue_details.end() ? nullptr : &found->second;
}

// A peak from a watch may be older, and the watch may have missed the present.
Peak Raise(Peak peak, uint64_t now) {
  if (peak.bytes < now) peak = {now, false};
  return peak;
}

Peak PeakOf(const ProcessRow& row, const Observations& seen) {
  const Peak peak = Lookup(seen.process_peaks, row.pid);
  const SampledPeak sampled = Lookup(seen.sampled_peaks, row.pid);
  const bool same = sampled.start_time_ns == row.start_time_ns;
  return Raise(Raise(peak, same ? sampled.bytes : 0), row.locked_bytes);
}

void AddProcess(const ProcessRow& row, const AuditReport& report, CgroupSums& sums) {
  ++sums.processes;
  sums.locked_bytes += row.locked_bytes;
  sums.pinned_bytes += row.pinned_bytes;
  sums.usage_max_ratio = std::max(sums.usage_max_ratio, UsageRatio(row));
  if (row.soft_limit_bytes) {
    sums.limit_min_bytes =
        std::min(*row.soft_limit_bytes, sums.limit_min_bytes.value_or(*row.soft_limit_bytes));
  }
  const LimitNeed need =
      NeedOf(row, Lookup(report.peaks, row.pid), ResidueOf(report, row.real_uid));
  if (need.need() > sums.recommendation.largest.need()) sums.recommendation = Recommend(need);
}

void AddQuiet(const QuietSums& quiet, CgroupSums& sums) {
  sums.processes += quiet.processes;
  if (quiet.limit_min_bytes) {
    sums.limit_min_bytes =
        std::min(*quiet.limit_min_bytes, sums.limit_min_bytes.value_or(*quiet.limit_min_bytes));
  }
}

SampledCgroup SampledOf(const CgroupRow& cgroup, const Observations& seen) {
  const SampledCgroup sampled = Lookup(seen.sampled_cgroups, cgroup.path);
  return IsOf(sampled, cgroup) ? sampled : SampledCgroup();
}

void FillOwn(const AuditReport& report, const Observations& seen, CgroupRow& cgroup) {
  for (const ProcessRow& row : cgroup.processes) AddProcess(row, report, cgroup.own);
  const Peak peak = Raise(Lookup(seen.cgroup_peaks, cgroup.path), SampledOf(cgroup, seen).bytes);
  cgroup.own.peak = Raise(peak, cgroup.own.locked_bytes);
  cgroup.own.denials = Lookup(seen.denials, cgroup.path);
}

// A cgroup that refusals were seen in stays, though its processes may be gone.
std::map<std::string, CgroupRow> Group(Snapshot& snapshot, const Observations& seen) {
  std::map<std::string, CgroupRow> cgroups;
  for (ProcessRow& row : snapshot.processes) {
    CgroupRow& cgroup = cgroups[row.cgroup];
    if (row.cgroup_id != 0) cgroup.id = row.cgroup_id;
    cgroup.processes.push_back(std::move(row));
  }
  for (const auto& [path, quiet] : snapshot.quiet) {
    CgroupRow& cgroup = cgroups[path];
    cgroup.id = quiet.cgroup_id;
    AddQuiet(quiet, cgroup.own);
  }
  for (const auto& [path, counts] : seen.denials) cgroups[path];
  return cgroups;
}

bool HasCgroupsBelow(const std::string& path, const std::map<std::string, CgroupRow>& cgroups) {
  const auto next = cgroups.upper_bound(path == "/" ? path : path + "/");
  return next != cgroups.end() && IsAtOrBelowCgroup(next->first, path);
}

// Nobody follows the sum over several cgroups from change to change.
Peak SubtreePeak(const CgroupRow& row, const Observations& seen, bool has_cgroups_below) {
  if (!has_cgroups_below) return row.own.peak;
  const uint64_t sampled = SampledOf(row, seen).subtree_bytes;
  return {std::max({sampled, row.subtree.peak.bytes, row.subtree.locked_bytes}), false};
}

uint64_t SignOf(const CgroupRow& row) {
  uint64_t processes = 0;
  for (const ProcessRow& process : row.processes) {
    processes += absl::HashOf(process.pid, process.start_time_ns, process.locked_bytes);
  }
  return absl::HashOf(row.id, processes, row.own.processes, row.own.pinned_bytes,
                      row.subtree.processes, row.subtree.locked_bytes, row.subtree.pinned_bytes);
}

void AddUnevictable(const CgroupHierarchy* hierarchy, FigureCache<Unevictable>* cache,
                    CgroupRow& row) {
  if (hierarchy == nullptr) return;
  const auto read = [&](Unevictable& figure) { figure = hierarchy->UnevictableOf(row.path); };
  Unevictable figure;
  if (cache == nullptr) {
    read(figure);
  } else {
    figure = cache->Get(row.path, row.sign, read);
  }
  row.own.unevictable_bytes = figure.own;
  row.subtree.unevictable_bytes = figure.subtree;
}

void AddCgroups(Snapshot& snapshot, const CgroupHierarchy* hierarchy, const ReportOptions& options,
                const Observations& seen, AuditReport& report) {
  auto cgroups = Group(snapshot, seen);
  if (options.top) AddParents(*options.top, cgroups);
  for (auto& [path, row] : cgroups) {
    row.path = path;
    row.identity = ClassifyCgroup(path);
    FillOwn(report, seen, row);
  }
  RollUp(cgroups);
  if (options.unevictable != nullptr) options.unevictable->StartRound();
  for (auto& [path, row] : cgroups) {
    row.subtree.peak = SubtreePeak(row, seen, HasCgroupsBelow(path, cgroups));
    row.sign = SignOf(row);
    AddUnevictable(hierarchy, options.unevictable, row);
  }
  if (options.unevictable != nullptr) options.unevictable->EndRound();
  report.cgroups.reserve(cgroups.size());
  for (auto& [path, row] : cgroups) report.cgroups.push_back(std::move(row));
}

}  // namespace

bool IsOf(const SampledCgroup& sampled, const CgroupRow& cgroup) {
  return sampled.id == 0 || cgroup.id == 0 || sampled.id == cgroup.id;
}

const CoveredProcess* CoverageOf(const AuditReport& report, pid_t pid) {
  return report.coverage ? FindCovered(*report.coverage, pid) : nullptr;
}

double UsageRatio(const ProcessRow& row) {
  if (!row.soft_limit_bytes) return 0;
  return static_cast<double>(row.locked_bytes) /
         static_cast<double>(std::max(*row.soft_limit_bytes, kPageBytes));
}

AuditReport BuildReport(Snapshot snapshot, const CgroupHierarchy* hierarchy, std::string host,
                        const ReportOptions& options) {
  const Observations none;
  const Observations& seen = options.observations == nullptr ? none : *options.observations;
  AuditReport report;
  report.host = std::move(host);
  report.source = std::move(snapshot.source);
  report.reconciled = snapshot.reconciled;
  if (hierarchy != nullptr) report.cgroup_version = hierarchy->version();
  report.residue = std::move(snapshot.residue);
  report.residue_details = std::move(snapshot.residue_details);
  report.limits_before = std::move(snapshot.limits_before);
  report.watched = seen.watched;
  report.hooks = std::move(snapshot.hooks);
  report.hooks.insert(report.hooks.end(), seen.hooks.begin(), seen.hooks.end());
  for (const ProcessRow& row : snapshot.processes) {
    report.peaks[row.pid] = PeakOf(row, seen);
  }

  AddCgroups(snapshot, hierarchy, options, seen, report);
  return report;
}

}  // namespace pagewarden
