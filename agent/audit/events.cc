// SPDX-License-Identifier: Apache-2.0
#include "agent/audit/events.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/audit/json_parts.h"
#include "agent/audit/limit_text.h"
#include "agent/audit/tables.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

using Json = OrderedJson;

std::string Who(const WatchEvent& event) {
  if (event.cgroup.empty()) return ProcessName(event.comm, event.pid);
  return absl::StrCat(ProcessName(event.comm, event.pid), " in ", CgroupName(event.cgroup));
}

const char* Outcome(const WatchEvent& event) {
  if (IsRefusal(event)) return " refused: ";
  return event.verdict && event.verdict->reason == Reason::kPrivilegedBypass
             ? " allowed by CAP_IPC_LOCK: "
             : " ";
}

std::string AttemptText(const WatchEvent& event) {
  const Attempt& attempt = *event.attempt;
  std::string text = absl::StrCat(Who(event), Outcome(event), LockCallName(attempt.call));
  if (attempt.request_bytes > 0) {
    absl::StrAppend(&text, " of ", BytesAndKib(attempt.request_bytes));
  }
  if (event.verdict) {
    absl::StrAppend(&text, ": ", VerdictCode(*event.verdict), ": ",
                    Printable(event.verdict->explanation));
  }
  if (attempt.repeats > 0) absl::StrAppend(&text, " (and ", attempt.repeats, " more times)");
  return text;
}

std::string GuardText(const WatchEvent& event) {
  const GuardHit& hit = *event.guard_hit;
  return absl::StrFormat("%s guard hit: %#x, %s, by %s+%#x", Who(event), hit.address,
                         Printable(hit.place), Printable(hit.module), hit.module_offset);
}

Json Header(const char* type, const WatchEvent& event) {
  return {{"type", type},     {"time", JsonTime(event.time)},
          {"pid", event.pid}, {"comm", event.comm},
          {"uid", event.uid}, {"cgroup", event.cgroup}};
}

void AddResult(const Attempt& attempt, Json& json) {
  json["result"] = attempt.result ? Json(*attempt.result) : Json(nullptr);
  if (attempt.result && *attempt.result < 0) {
    const char* const name = strerrorname_np(static_cast<int>(-*attempt.result));
    if (name != nullptr) json["error"] = name;
  }
  if (attempt.signal != 0) json["signal"] = sigabbrev_np(attempt.signal);
}

void AddVerdict(const Verdict& verdict, Json& json) {
  json["reason"] = ReasonCode(verdict.reason);
  json["code"] = VerdictCode(verdict);
  json["details"] = Json::array();
  for (const LimitDetail detail : verdict.details) {
    json["details"].push_back(LimitDetailCode(detail));
  }
  json["explanation"] = verdict.explanation;
}

Json AttemptJson(const WatchEvent& event) {
  const Attempt& attempt = *event.attempt;
  Json json = Header("attempt", event);
  json["call"] = LockCallName(attempt.call);
  AddResult(attempt, json);
  json["refused"] = IsRefusal(event);
  if (event.verdict) AddVerdict(*event.verdict, json);
  json["requestBytes"] = attempt.request_bytes;
  json["softLimitBytes"] = OrNull(attempt.soft_limit_bytes);
  json["hardLimitBytes"] = OrNull(attempt.hard_limit_bytes);
  json["lockedBytes"] = attempt.locked_bytes;
  json["pinnedBytes"] = attempt.pinned_bytes;
  json["repeats"] = attempt.repeats;
  return json;
}

Json GuardJson(const WatchEvent& event) {
  const GuardHit& hit = *event.guard_hit;
  Json json = Header("guardHit", event);
  json["address"] = absl::StrFormat("%#x", hit.address);
  json["place"] = hit.place;
  json["module"] = hit.module;
  json["moduleOffset"] = hit.module_offset;
  return json;
}

}  // namespace

bool IsRefusal(const WatchEvent& event) {
  if (!event.verdict) return false;
  const Reason reason = event.verdict->reason;
  return reason != Reason::kNone && reason != Reason::kPrivilegedBypass &&
         reason != Reason::kPartial;
}

std::string EventText(const WatchEvent& event) {
  if (event.guard_hit) return GuardText(event);
  return AttemptText(event);
}

std::string EventJson(const WatchEvent& event) {
  return JsonLine(event.guard_hit ? GuardJson(event) : AttemptJson(event)) + "\n";
}

std::string LineTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", time, absl::LocalTimeZone());
}

}  // namespace pagewarden
