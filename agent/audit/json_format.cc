// SPDX-License-Identifier: Apache-2.0
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agent/audit/findings.h"
#include "agent/audit/formats.h"
#include "agent/audit/json_parts.h"

namespace pagewarden {
namespace {

using Json = OrderedJson;

// Fields have been added since 1; none has changed its meaning.
constexpr int kSchemaVersion = 1;

void AddIdentity(const CgroupIdentity& identity, Json& json) {
  const auto add = [&json](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  add("unit", identity.unit);
  add("pod", identity.pod);
  add("qosClass", identity.qos);
  add("container", identity.container);
  add("runtime", identity.runtime);
  add("machine", identity.machine);
  add("session", identity.session);
  if (identity.user) json["sliceUid"] = *identity.user;
}

Json NeedJson(const Recommendation& recommendation) {
  const LimitNeed& need = recommendation.largest;
  return {{"pid", need.pid},
          {"peakLockedBytes", need.peak_locked_bytes},
          {"futureBytes", need.future_bytes},
          {"unlockedArenaBytes", need.unlocked_arena_bytes},
          {"arenaGrowthBytes", need.arena_growth_bytes},
          {"pinnedBytes", need.pinned_bytes},
          {"uidBytes", need.uid_bytes},
          {"needBytes", need.need()},
          {"headroomBytes", recommendation.headroom_bytes}};
}

void AddSums(const CgroupSums& sums, Json& json) {
  json["lockedBytes"] = sums.locked_bytes;
  json["pinnedBytes"] = sums.pinned_bytes;
  json["unevictableBytes"] = OrNull(sums.unevictable_bytes);
  json["peakLockedBytes"] = sums.peak.bytes;
  json["peakQuality"] = PeakQuality(sums.peak);
  json["limitMinBytes"] = OrNull(sums.limit_min_bytes);
  json["usageMaxRatio"] = sums.usage_max_ratio;
  json["denials"] = Json::object();
  for (const auto& [reason, count] : sums.denials.by_reason) json["denials"][reason] = count;
  json["privilegedBypasses"] = sums.denials.privileged_bypasses;
  json["guardHits"] = sums.denials.guard_hits;
  json["recommendedLimitBytes"] = sums.recommendation.limit_bytes;
}

// v2 has the figure with the cgroups below alone: better that one than none, and named.
void AddUnevictable(const CgroupRow& row, Json& json) {
  const bool own = row.own.unevictable_bytes.has_value();
  json["unevictableBytes"] =
      OrNull(own ? row.own.unevictable_bytes : row.subtree.unevictable_bytes);
  if (!json["unevictableBytes"].is_null()) json["unevictableOf"] = own ? "cgroup" : "subtree";
}

Json CgroupJson(const CgroupRow& row, const AuditReport& report) {
  Json cgroup = {{"path", row.path}, {"kind", row.identity.kind}};
  AddIdentity(row.identity, cgroup);
  AddSums(row.own, cgroup);
  AddUnevictable(row, cgroup);
  if (row.own.recommendation.limit_bytes > 0) {
    cgroup["recommendation"] = NeedJson(row.own.recommendation);
  }
  cgroup["subtree"] = {{"processes", row.subtree.processes}};
  AddSums(row.subtree, cgroup["subtree"]);
  cgroup["processes"] = Json::array();
  for (const ProcessRow& process : row.processes) {
    cgroup["processes"].push_back(ProcessJson(process, report));
  }
  return cgroup;
}

Json FindingsJson(const AuditReport& report) {
  Json json = Json::array();
  for (const AuditFinding& finding : FindingsOf(report)) {
    Json entry = {{"severity", SeverityName(finding.severity)}, {"code", finding.code}};
    if (finding.pid != 0) entry["pid"] = finding.pid;
    if (!finding.cgroup.empty()) entry["cgroup"] = finding.cgroup;
    entry["text"] = finding.text;
    json.push_back(std::move(entry));
  }
  return json;
}

Json DifferencesJson(const AuditReport& report) {
  Json json = Json::array();
  for (const CounterDifference& difference : report.differences) {
    json.push_back({{"pid", difference.pid},
                    {"comm", difference.comm},
                    {"cgroup", difference.cgroup},
                    {"figure", difference.figure},
                    {"bpfBytes", difference.bpf_bytes},
                    {"procBytes", difference.proc_bytes}});
  }
  return json;
}

// null: the policies are not known.
Json CoverageJson(const AuditReport& report) {
  if (!report.coverage) return nullptr;
  const CoverageCounts counts = CountCoverage(*report.coverage);
  return {{"selected", counts.selected},
          {"covered", counts.covered},
          {"pending", counts.pending},
          {"uncovered", counts.uncovered}};
}

Json CgroupVersionJson(const AuditReport& report) {
  if (!report.cgroup_version) return nullptr;
  return *report.cgroup_version == CgroupVersion::kV1 ? 1 : 2;
}

Json ReportJson(const AuditReport& report) {
  Json json = {{"schemaVersion", kSchemaVersion},
               {"host", report.host},
               {"source", report.source},
               {"cgroupVersion", CgroupVersionJson(report)},
               {"reconciledProcesses", report.reconciled},
               {"watchedSeconds", absl::ToDoubleSeconds(report.watched)},
               {"hooks", HooksJson(report.hooks)},
               {"coverage", CoverageJson(report)},
               {"findings", FindingsJson(report)},
               {"counterDifferences", DifferencesJson(report)},
               {"cgroups", Json::array()},
               {"uids", UidsJson(report)}};
  for (const CgroupRow& row : report.cgroups) json["cgroups"].push_back(CgroupJson(row, report));
  return json;
}

}  // namespace

std::string JsonLine(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string JsonTime(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone());
}

std::string FormatJson(const AuditReport& report, JsonLayout layout) {
  Json json = ReportJson(report);
  if (layout == JsonLayout::kIndented) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  Json line = {{"type", "report"}, {"time", JsonTime(absl::Now())}};
  line.update(json);
  return JsonLine(line) + "\n";
}

}  // namespace pagewarden
