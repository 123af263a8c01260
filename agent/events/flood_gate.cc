// SPDX-License-Identifier: Apache-2.0
#include "agent/events/flood_gate.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/audit/events.h"
#include "agent/audit/limit_text.h"
#include "agent/audit/text.h"
#include "agent/events/transitions.h"

namespace pagewarden {
namespace {

constexpr char kOthers[] = "(others)";

const char* TypeOf(const WatchEvent& event) {
  if (event.guard_hit) return "guardHit";
  return IsRefusal(event) ? "denial" : "bypass";
}

Severity SeverityOf(const WatchEvent& event) {
  if (event.guard_hit) return Severity::kError;
  return IsRefusal(event) ? Severity::kWarning : Severity::kInfo;
}

std::string ReasonOf(const WatchEvent& event) {
  return event.verdict ? VerdictCode(*event.verdict) : "";
}

nlohmann::json DetailsOf(const WatchEvent& event) {
  nlohmann::json details = nlohmann::json::parse(EventJson(event), nullptr, false);
  for (const char* const shown : {"type", "time", "pid", "comm", "cgroup", "explanation"}) {
    details.erase(shown);
  }
  return details;
}

// "12 more refusals like it since 18:40:01, the last: …"
Event SumOf(const std::string& type, uint64_t count, absl::Time start, Event last, absl::Time now) {
  last.text = absl::StrCat(count, " more like it since ", LineTime(start),
                           " that are not told one by one; the last: ", last.text);
  last.details["count"] = count;
  last.details["since"] = absl::FormatTime(absl::RFC3339_full, start, absl::UTCTimeZone());
  last.type = type;
  last.time = now;
  return last;
}

uint64_t TimesOf(const WatchEvent& event) {
  return 1 + (event.attempt ? event.attempt->repeats : 0);
}

}  // namespace

Event EventOf(const WatchEvent& event) {
  Event result;
  result.time = event.time;
  result.type = TypeOf(event);
  result.severity = SeverityOf(event);
  result.cgroup = event.cgroup;
  result.pid = event.pid;
  result.comm = event.comm;
  WatchEvent elsewhere = event;
  elsewhere.cgroup.clear();  // a field of its own
  result.text = EventText(elsewhere);
  result.details = DetailsOf(event);
  return result;
}

void FloodGate::Add(const WatchEvent& event) {
  Kind kind(TypeOf(event), event.cgroup, ReasonOf(event));
  if (periods_.size() >= options_.max_kinds && periods_.count(kind) == 0) {
    kind = {TypeOf(event), kOthers, ""};
  }
  const auto [it, is_new] = periods_.try_emplace(std::move(kind));
  Period& period = it->second;
  if (is_new) period.start = event.time;
  if (period.told < options_.burst) {
    ++period.told;
    events_.push_back(EventOf(event));
    return;
  }
  period.untold += TimesOf(event);
  period.last = event;
}

std::vector<Event> FloodGate::Take(absl::Time now, bool all) {
  std::vector<Event> events = std::exchange(events_, {});
  for (auto it = periods_.begin(); it != periods_.end();) {
    const auto& [kind, period] = *it;
    // One that begins later than now is of before the clock was set back.
    const bool is_over = now < period.start || now - period.start >= options_.period;
    if (!all && !is_over) {
      ++it;
      continue;
    }
    if (period.untold > 0) {
      events.push_back(
          SumOf(std::get<0>(kind), period.untold, period.start, EventOf(period.last), now));
    }
    it = periods_.erase(it);
  }
  return events;
}

}  // namespace pagewarden
