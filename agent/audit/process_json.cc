// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/json_parts.h"
#include "agent/audit/limit_text.h"
#include "agent/policy/effective_mode.h"

namespace pagewarden {
namespace {

OrderedJson MappingsJson(const LockedMappings& locked) {
  return {{"anonymousBytes", locked.anonymous_bytes},
          {"heapBytes", locked.heap_bytes},
          {"stackBytes", locked.stack_bytes},
          {"fileBytes", locked.file_bytes},
          {"shmemBytes", locked.shmem_bytes},
          {"secretBytes", locked.secret_bytes},
          {"onFaultBytes", OrNull(locked.on_fault_bytes)}};
}

void AddCoverage(const CoveredProcess& coverage, OrderedJson& process) {
  process["coverage"] = CoverageJson(coverage);
  if (coverage.state != CoverageState::kUncovered) return;
  if (!process.contains("shim")) {
    process["shim"] = {{"policy", ""}, {"mode", ""}, {"loaded", false}};
    process["shim"]["arenas"] = OrderedJson::array();
  }
  process["shim"]["uncovered"] = coverage.reason;
}

}  // namespace

OrderedJson CoverageJson(const CoveredProcess& coverage) {
  OrderedJson json = {{"policy", coverage.policy},
                      {"mode", ModeWord(coverage.mode)},
                      {"state", CoverageWord(coverage.state)}};
  if (coverage.reason.empty()) return json;
  json["reason"] = coverage.reason;
  json["text"] = coverage.text;
  json["protections"] = coverage.protections;
  return json;
}

OrderedJson ProcessJson(const ProcessRow& row, const AuditReport& report) {
  const Peak& peak = report.peaks.at(row.pid);
  OrderedJson process = {{"pid", row.pid},
                         {"comm", row.comm},
                         {"exe", row.exe},
                         {"uid", row.uid},
                         {"lockedBytes", row.locked_bytes},
                         {"pinnedBytes", row.pinned_bytes},
                         {"peakLockedBytes", peak.bytes},
                         {"peakQuality", PeakQuality(peak)},
                         {"softLimitBytes", OrNull(row.soft_limit_bytes)},
                         {"hardLimitBytes", OrNull(row.hard_limit_bytes)},
                         {"limitRaisedBy", MayRaiseName(MayRaiseOf(row))},
                         {"capIpcLock", row.cap_ipc_lock},
                         {"capIpcLockState", IpcLockName(IpcLockOf(row))},
                         {"driftBytes", row.drift_bytes}};
  if (row.locked_mappings) process["lockedMappings"] = MappingsJson(*row.locked_mappings);
  if (row.locks_future) process["locksFuture"] = *row.locks_future;
  const CoveredProcess* const coverage = CoverageOf(report, row.pid);
  if (row.shim_loaded) process["shim"] = ShimJson(row);
  if (coverage != nullptr) AddCoverage(*coverage, process);
  return process;
}

}  // namespace pagewarden
