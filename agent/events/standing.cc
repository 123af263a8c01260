// SPDX-License-Identifier: Apache-2.0
#include "agent/events/standing.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/events/event_json.h"

namespace pagewarden {
namespace {

constexpr absl::string_view kHeading = "pagewarden standing events 1 ";

}  // namespace

std::string KeyOf(const Event& event) {
  if (!IsLastingType(event.type) || !event.details.is_object()) return "";
  const auto it = event.details.find("key");
  if (it == event.details.end() || !it->is_string()) return "";
  return it->get<std::string>();
}

void StandingEvents::Add(const Event& event) {
  if (event.sequence <= through_) return;
  through_ = event.sequence;
  const std::string key = KeyOf(event);
  if (key.empty()) return;
  if (!event.raised && event.type != "reload") {
    events_.erase(key);
  } else if (events_.size() < kMax || events_.count(key) > 0) {
    events_[key] = event;
  }
}

void StandingEvents::AddLines(absl::string_view lines, uint64_t through) {
  for (const absl::string_view line : absl::StrSplit(lines, '\n')) {
    if (!absl::StrContains(line, "\"raised\":")) continue;  // most happen, and do not last
    if (auto event = ParseEventLine(line); event.ok()) Add(*event);
  }
  through_ = std::max(through_, through);
}

std::vector<Event> StandingEvents::All() const {
  std::vector<Event> events;
  for (const auto& [key, event] : events_) events.push_back(event);
  std::sort(events.begin(), events.end(),
            [](const Event& a, const Event& b) { return a.sequence < b.sequence; });
  return events;
}

std::string StandingEvents::Format() const {
  std::string text = absl::StrCat(kHeading, through_, " ", events_.size(), "\n");
  for (const Event& event : All()) text += EventLine(event);
  return text;
}

bool StandingEvents::Parse(absl::string_view text) {
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  if (lines.size() < 2 || !lines.back().empty()) return false;
  if (!absl::ConsumePrefix(&lines.front(), kHeading)) return false;
  const std::vector<absl::string_view> numbers = absl::StrSplit(lines.front(), ' ');
  uint64_t through = 0;
  size_t count = 0;
  if (numbers.size() != 2 || !absl::SimpleAtoi(numbers[0], &through) ||
      !absl::SimpleAtoi(numbers[1], &count) || count != lines.size() - 2 || count > kMax) {
    return false;
  }
  std::map<std::string, Event> events;
  for (size_t i = 1; i + 1 < lines.size(); ++i) {
    auto event = ParseEventLine(lines[i]);
    if (!event.ok() || event->sequence > through || KeyOf(*event).empty()) return false;
    events[KeyOf(*event)] = *std::move(event);
  }
  events_ = std::move(events);
  through_ = through;
  return true;
}

}  // namespace pagewarden
