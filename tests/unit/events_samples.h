// SPDX-License-Identifier: Apache-2.0
// Events and views for tests.
#pragma once

#include <cerrno>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "agent/audit/report.h"
#include "agent/events/event.h"
#include "agent/watch/watch.h"

namespace pagewarden {

inline absl::Time SampleTime() {
  return absl::FromUnixSeconds(1764187200) + absl::Nanoseconds(123456789);
}

inline Event SampleEvent(std::string text = "nginx[4711] refused: mlock of 65536 B (64 KiB)") {
  Event event;
  event.time = SampleTime();
  event.type = "denial";
  event.severity = Severity::kWarning;
  event.cgroup = "/system.slice/nginx.service";
  event.pid = 4711;
  event.comm = "nginx";
  event.text = std::move(text);
  event.details = {{"code", "OVER_LIMIT"}, {"requestBytes", 65536}};
  return event;
}

inline Event SampleCondition(const std::string& key, bool raised) {
  Event event = SampleEvent("something lasts");
  event.type = "uncovered";
  event.raised = raised;
  event.details = {{"key", key}};
  return event;
}

inline WatchEvent SampleDenial(const std::string& cgroup, absl::Time time = SampleTime()) {
  WatchEvent event;
  event.time = time;
  event.pid = 4711;
  event.uid = 33;
  event.comm = "ng\x1b[31minx";
  event.cgroup = cgroup;
  event.attempt.emplace();
  event.attempt->call = LockCall::kMlock;
  event.attempt->result = -ENOMEM;
  event.attempt->request_bytes = 1 << 20;
  event.attempt->soft_limit_bytes = 64 << 10;
  event.attempt->hard_limit_bytes = 64 << 10;
  event.verdict = Classify(*event.attempt);
  return event;
}

inline CgroupRow& CgroupIn(AuditReport& report, const std::string& path) {
  report.cgroups.emplace_back();
  report.cgroups.back().path = path;
  return report.cgroups.back();
}

// A process under policy "tls", with one rule and so many allocations of it so far.
inline ProcessRow FencedRow(pid_t pid, uint64_t start, uint64_t allocations, uint64_t live = 0) {
  ProcessRow row;
  row.pid = pid;
  row.comm = "nginx";
  row.start_time_ns = start;
  row.shim_loaded = true;
  row.shim.emplace();
  row.shim->address = 0x7f0000000000 + start * 4096;
  row.shim->policy = "tls";
  row.shim->active = true;
  row.shim->tags.emplace_back();
  row.shim->tags.back().name = "keys";
  row.shim->tags.back().is_rule = true;
  row.shim->tags.back().total_allocations = allocations;
  row.shim->tags.back().live_allocations = live;
  return row;
}

}  // namespace pagewarden
