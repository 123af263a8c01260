// SPDX-License-Identifier: Apache-2.0
// What of the events is still the case: kept beside the log, whose files forget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/events/event.h"

namespace pagewarden {

// Of a lasting event what pairs its beginning with its end: `details.key`; else empty.
std::string KeyOf(const Event& event);

// Not thread-safe.
class StandingEvents {
 public:
  // More things than these at a time are not followed.
  static constexpr size_t kMax = 8192;

  // In order of their numbers; those up to `through` change nothing.
  void Add(const Event& event);
  // As Add of each, of lines that EventLine made; the last has number `through`.
  void AddLines(absl::string_view lines, uint64_t through);

  uint64_t through() const { return through_; }
  std::vector<Event> All() const;  // by number

  // Lines: the number `through`, then the events.
  std::string Format() const;
  // False: damaged, and nothing is changed.
  bool Parse(absl::string_view text);

 private:
  std::map<std::string, Event> events_;  // by key
  uint64_t through_ = 0;
};

}  // namespace pagewarden
