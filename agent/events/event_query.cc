// SPDX-License-Identifier: Apache-2.0
#include "agent/events/event_query.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/base/closest_word.h"
#include "agent/events/event_json.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxLimit = 10000;

absl::Status CheckType(const std::string& type) {
  const std::vector<std::string>& known = EventTypes();
  if (std::find(known.begin(), known.end(), type) != known.end()) return absl::OkStatus();
  const std::string meant = ClosestWord(type, known);
  return absl::InvalidArgumentError(absl::StrCat("no such type: ", type,
                                                 meant.empty()
                                                     ? "; types are " + absl::StrJoin(known, ", ")
                                                     : "; did you mean " + meant + "?"));
}

absl::Status Apply(const std::string& key, const std::string& value, absl::Time now,
                   EventQuery& query) {
  if (key == "since") {
    auto since = ParseSince(value, now);
    if (since.ok()) query.since = *since;
    return since.status();
  }
  if (key == "after" && absl::SimpleAtoi(value, &query.after)) return absl::OkStatus();
  if (key == "limit" && absl::SimpleAtoi(value, &query.limit) && query.limit <= kMaxLimit) {
    return absl::OkStatus();
  }
  if (key == "type") {
    for (const absl::string_view word : absl::StrSplit(value, ',')) {
      std::string type(word);
      if (absl::Status status = CheckType(type); !status.ok()) return status;
      query.types.push_back(std::move(type));
    }
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("not understood: ", key, "=", value));
}

}  // namespace

const std::vector<std::string>& EventTypes() {
  static const auto* const types = new std::vector<std::string>{
      "denial",    "bypass",    "limitNear", "budget", "rlimit", "guardHit",
      "violation", "uncovered", "secret",    "reload", "agent",  "lost"};
  return *types;
}

absl::StatusOr<absl::Time> ParseSince(const std::string& text, absl::Time now) {
  absl::Duration ago;
  if (absl::ParseDuration(text, &ago) && ago >= absl::ZeroDuration()) return now - ago;
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return time;
  return absl::InvalidArgumentError(absl::StrCat(
      "since is a duration (10m, 36h) or a time (2026-11-26T18:40:00+01:00), not ", text));
}

absl::StatusOr<EventQuery> ParseEventQuery(const std::multimap<std::string, std::string>& query,
                                           absl::Time now) {
  EventQuery result;
  for (const auto& [key, value] : query) {
    if (key != "type" && query.count(key) > 1) {
      return absl::InvalidArgumentError(absl::StrCat("more than once: ", key));
    }
    if (absl::Status status = Apply(key, value, now, result); !status.ok()) return status;
  }
  return result;
}

std::string EventsJson(const EventLog& log, const EventQuery& query) {
  // Asked for before the lines: what is added meanwhile is `more` next time.
  nlohmann::ordered_json head = {{"schemaVersion", kEventSchemaVersion},
                                 {"firstSequence", log.first_sequence()},
                                 {"lastSequence", log.last_sequence()},
                                 {"durableSequence", log.durable_sequence()},
                                 {"lost", log.lost()}};
  if (const std::string problem = log.problem(); !problem.empty()) head["problem"] = problem;
  std::vector<std::string> lines =
      log.LinesSince(query.since, query.after, query.limit + 1, query.types);
  head["more"] = lines.size() > query.limit;
  lines.resize(std::min(lines.size(), query.limit));
  for (std::string& line : lines) line.pop_back();
  std::string text = head.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.pop_back();
  return absl::StrCat(text, ",\"events\":[", absl::StrJoin(lines, ",\n"), "]}\n");
}

absl::StatusOr<EventsAnswer> ParseEventsAnswer(const nlohmann::json& json) {
  const absl::Status wrong = absl::InvalidArgumentError("not an answer of a pagewarden agent");
  if (!json.is_object() || !json.contains("events") || !json["events"].is_array()) return wrong;
  const auto number = [&](const char* key) {
    const auto it = json.find(key);
    return it != json.end() && it->is_number_unsigned() ? it->get<uint64_t>() : 0;
  };
  EventsAnswer answer;
  answer.first_sequence = number("firstSequence");
  answer.last_sequence = number("lastSequence");
  answer.lost = number("lost");
  answer.more = json.contains("more") && json["more"] == true;
  if (json.contains("problem") && json["problem"].is_string()) {
    answer.problem = json["problem"].get<std::string>();
  }
  for (const nlohmann::json& object : json["events"]) {
    auto event = ParseEventObject(object);
    if (!event.ok()) return event.status();
    answer.events.push_back(*std::move(event));
  }
  return answer;
}

}  // namespace pagewarden
