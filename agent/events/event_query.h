// SPDX-License-Identifier: Apache-2.0
// What `/v1/events` is asked, and its answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/events/event_log.h"

namespace pagewarden {

struct EventQuery {
  absl::Time since = absl::InfinitePast();
  uint64_t after = 0;  // sequence number
  size_t limit = 1000;
  std::vector<std::string> types;  // none: all
};

// The words of event.h.
const std::vector<std::string>& EventTypes();

// "10m" before `now`, or RFC 3339. InvalidArgument: neither.
absl::StatusOr<absl::Time> ParseSince(const std::string& text, absl::Time now);

// Parameters since, after, limit (10,000 at most), type (several: "denial,budget"); each may
// be missing, only `type` be there more than once. InvalidArgument names what is wrong.
absl::StatusOr<EventQuery> ParseEventQuery(const std::multimap<std::string, std::string>& query,
                                           absl::Time now);

// {"schemaVersion":1,"firstSequence":…,"lastSequence":…,"durableSequence":…,"lost":…,
// "problem"?:"…","more":false,"events":[…]}. `more`: ask again with `after` the last one's.
std::string EventsJson(const EventLog& log, const EventQuery& query);

struct EventsAnswer {
  uint64_t first_sequence = 0;  // that the agent has in memory
  uint64_t last_sequence = 0;
  uint64_t lost = 0;
  std::string problem;  // why events are not written; empty: they are
  bool more = false;
  std::vector<Event> events;
};

// InvalidArgument: not what EventsJson makes.
absl::StatusOr<EventsAnswer> ParseEventsAnswer(const nlohmann::json& json);

}  // namespace pagewarden
