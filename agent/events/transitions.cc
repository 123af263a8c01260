// SPDX-License-Identifier: Apache-2.0
#include "agent/events/transitions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/events/conditions.h"
#include "agent/events/standing.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kSettle = absl::Seconds(5);
constexpr absl::Duration kBetweenLosses = absl::Seconds(60);
constexpr char kReloadKey[] = "reload";

std::string Counted(uint64_t count, const char* one, const char* many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

// What makes an event that stands another one, that is to be told again.
std::string LevelOf(const Event& event) {
  const auto it = event.details.find("level");
  return it != event.details.end() && it->is_string() ? it->get<std::string>() : "";
}

Event EndOf(const Event& raised, absl::Time now) {
  Event event = raised;
  event.sequence = 0;
  event.time = now;
  event.raised = false;
  event.severity = Severity::kInfo;
  event.text = absl::StrCat("over: ", raised.text);
  event.details["lastedSeconds"] = std::max<int64_t>(absl::ToInt64Seconds(now - raised.time), 0);
  return event;
}

Event ReloadEvent(const PolicyStatus& policies, absl::Time now) {
  Event event;
  event.time = now;
  event.type = "reload";
  event.raised = !policies.last_reload_ok;
  event.details = {
      {"key", kReloadKey}, {"hash", policies.hash}, {"policies", policies.loaded.size()}};
  if (policies.last_reload_ok) {
    event.text = absl::StrCat(Counted(policies.loaded.size(), "policy is", "policies are"),
                              " in force, set ", policies.hash);
    return event;
  }
  event.severity = Severity::kError;
  event.text = absl::StrCat("the policies cannot be reloaded, set ", policies.hash,
                            " stays in force: ", absl::StrJoin(policies.errors, "; "));
  event.details["errors"] = policies.errors;
  return event;
}

std::string WhyLost(const std::string& source) {
  if (source == "log") return "the state directory did not take them";
  return absl::StrCat("the buffer of ", source, " was full");
}

bool SaysTheSame(const Event& a, const Event& b) {
  return a.raised == b.raised && a.details.value("hash", "") == b.details.value("hash", "") &&
         a.details.value("errors", nlohmann::json()) == b.details.value("errors", nlohmann::json());
}

}  // namespace

Transitions::Transitions(std::vector<Event> standing) {
  for (Event& event : standing) {
    std::string key = KeyOf(event);
    if (key.empty()) continue;
    if (key == kReloadKey) {
      last_reload_ = std::move(event);
    } else {
      standing_[std::move(key)].event = std::move(event);
    }
  }
}

// Nothing was seen later than now: the clock has been set back since.
void Transitions::NoteTime(absl::Time now) {
  first_ = std::min(first_, now);
  lost_told_ = std::min(lost_told_, now);
  for (auto& [key, standing] : standing_) standing.seen = std::min(standing.seen, now);
}

std::vector<Event> Transitions::Between(const HostView& now) {
  NoteTime(now.time);
  std::vector<Event> events;
  Reload(now.policies, now.time, events);
  Raise(ConditionsOf(now), now.time, events);
  End(now, events);
  Losses(now.health, now.time, events);
  return events;
}

void Transitions::Raise(std::vector<Event> found, absl::Time now, std::vector<Event>& events) {
  for (Event& event : found) {
    const std::string key = KeyOf(event);
    const auto it = standing_.find(key);
    if (it == standing_.end() && standing_.size() >= StandingEvents::kMax) continue;
    Standing& standing = it == standing_.end() ? standing_[key] : it->second;
    standing.seen = now;
    if (it != standing_.end() && LevelOf(standing.event) == LevelOf(event)) continue;
    standing.event = event;
    events.push_back(std::move(event));
  }
}

void Transitions::End(const HostView& now, std::vector<Event>& events) {
  for (auto it = standing_.begin(); it != standing_.end();) {
    const Standing& standing = it->second;
    const absl::Time seen = std::max(standing.seen, first_);
    if (now.time - seen < kSettle || standing.seen == now.time || !CanTell(now, standing.event)) {
      ++it;
      continue;
    }
    events.push_back(EndOf(standing.event, now.time));
    it = standing_.erase(it);
  }
}

void Transitions::Reload(const PolicyStatus& policies, absl::Time now, std::vector<Event>& events) {
  if (policies.last_attempt == absl::InfinitePast() || policies.last_attempt == seen_attempt_) {
    return;
  }
  seen_attempt_ = policies.last_attempt;
  Event event = ReloadEvent(policies, now);
  if (!last_reload_.type.empty() && SaysTheSame(event, last_reload_)) return;
  last_reload_ = event;
  events.push_back(std::move(event));
}

void Transitions::Losses(const AgentHealth& health, absl::Time now, std::vector<Event>& events) {
  if (now - lost_told_ < kBetweenLosses) return;
  for (const auto& [source, count] : health.events_lost) {
    uint64_t& told = lost_[source];
    if (count <= told) continue;
    Event event;
    event.time = now;
    event.type = "lost";
    event.severity = Severity::kWarning;
    event.text = absl::StrCat(Counted(count - told, "event", "events"), " lost: ", WhyLost(source));
    event.details = {{"source", source}, {"count", count - told}};
    events.push_back(std::move(event));
    told = count;
    lost_told_ = now;
  }
}

}  // namespace pagewarden
