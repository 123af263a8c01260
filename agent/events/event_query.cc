// SPDX-License-Identifier: Apache-2.0
#include "agent/events/event_query.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/base/closest_word.h"
#include "agent/events/event_json.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxLimit = 10000;

absl::Status CheckType(const std::string& type) {
  const std::vector<std::string>& known = EventTypes();
  if (std::find(known.begin(), known.end(), type) != known.end()) return absl::OkStatus();
  const std::string meant = ClosestWord(type, known);
  return absl::InvalidArgumentError(
      absl::StrCat("no such type: ", type,
                   meant.empty() ? "; types are " + absl::StrJoin(known, ", ")
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
    query.types.push_back(value);
    return CheckType(value);
  }
  return absl::InvalidArgumentError(absl::StrCat("not understood: ", key, "=", value));
}

}  // namespace

const std::vector<std::string>& EventTypes() {
  static const auto* const types = new std::vector<std::string>{
      "denial", "bypass",    "limitNear", "budget", "rlimit", "guardHit",
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

}  // namespace pagewarden
