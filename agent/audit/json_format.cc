// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "agent/audit/formats.h"

namespace pagewarden {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;

Json OrNull(const std::optional<uint64_t>& value) { return value ? Json(*value) : Json(nullptr); }

Json ArenaJson(const ShimArena& arena) {
  return {{"name", arena.name},
          {"capacityBytes", arena.capacity_bytes},
          {"usedBytes", arena.used_bytes},
          {"lockedBytes", arena.locked_bytes},
          {"liveAllocations", arena.live_allocations},
          {"fallbacks", arena.fallbacks}};
}

Json ShimJson(const ProcessRow& row) {
  if (!row.shim) {
    return {
        {"policy", ""}, {"mode", ""}, {"arenas", Json::array()}, {"uncovered", "invalid_ledger"}};
  }
  Json shim = {{"policy", row.shim->policy}, {"mode", row.shim->mode}, {"arenas", Json::array()}};
  for (const ShimArena& arena : row.shim->arenas) shim["arenas"].push_back(ArenaJson(arena));
  if (!row.shim->uncovered.empty()) shim["uncovered"] = row.shim->uncovered;
  return shim;
}

Json ProcessJson(const ProcessRow& row) {
  Json process = {{"pid", row.pid},
                  {"comm", row.comm},
                  {"exe", row.exe},
                  {"uid", row.uid},
                  {"lockedBytes", row.locked_bytes},
                  {"pinnedBytes", row.pinned_bytes},
                  {"softLimitBytes", OrNull(row.soft_limit_bytes)},
                  {"hardLimitBytes", OrNull(row.hard_limit_bytes)},
                  {"capIpcLock", row.cap_ipc_lock},
                  {"driftBytes", row.drift_bytes}};
  if (row.shim_loaded) process["shim"] = ShimJson(row);
  return process;
}

Json CgroupJson(const CgroupRow& row) {
  Json cgroup = {{"path", row.path}, {"kind", row.identity.kind}};
  if (!row.identity.unit.empty()) cgroup["unit"] = row.identity.unit;
  if (!row.identity.pod.empty()) cgroup["pod"] = row.identity.pod;
  if (!row.identity.container.empty()) cgroup["container"] = row.identity.container;
  cgroup["lockedBytes"] = row.locked_bytes;
  cgroup["pinnedBytes"] = row.pinned_bytes;
  cgroup["unevictableBytes"] = OrNull(row.unevictable_bytes);
  cgroup["peakLockedBytes"] = row.peak_locked_bytes;
  cgroup["limitMinBytes"] = OrNull(row.limit_min_bytes);
  cgroup["usageMaxRatio"] = row.usage_max_ratio;
  cgroup["denials"] = Json::object();
  cgroup["recommendedLimitBytes"] = row.recommended_limit_bytes;
  cgroup["processes"] = Json::array();
  for (const ProcessRow& process : row.processes) {
    cgroup["processes"].push_back(ProcessJson(process));
  }
  return cgroup;
}

}  // namespace

std::string FormatJson(const AuditReport& report) {
  Json json = {{"schemaVersion", kSchemaVersion}, {"host", report.host},
               {"source", report.source},         {"reconciledProcesses", report.reconciled},
               {"cgroups", Json::array()},        {"uids", Json::array()}};
  for (const CgroupRow& cgroup : report.cgroups) json["cgroups"].push_back(CgroupJson(cgroup));
  for (const auto& [uid, bytes] : report.residue) {
    json["uids"].push_back({{"uid", uid}, {"residueBytes", bytes}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pagewarden
