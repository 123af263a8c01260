// SPDX-License-Identifier: Apache-2.0
// An event as one line of JSON, as it is kept, printed and sent (docs/events.md).
//
//   {"schemaVersion":1,"sequence":7,"time":"2026-11-26T18:40:01.5+00:00","type":"denial",
//    "severity":"warning","cgroup":"/a","pid":4711,"comm":"nginx","text":"…","details":{…}}
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/events/event.h"

namespace pagewarden {

inline constexpr int kEventSchemaVersion = 1;
// A line with its line break. Longer texts are cut and larger details left out.
inline constexpr size_t kMaxEventLineBytes = 64 << 10;

// Whether events of this type are raised and end; others happen.
bool IsLastingType(absl::string_view type);

// With a line break; bytes that are not UTF-8 become U+FFFD. What is empty is left out.
std::string EventLine(const Event& event);

// Of one line, with its line break or without. InvalidArgument: it is not what EventLine
// makes: another version, an unknown or a missing field, a wrong kind, out of range.
absl::StatusOr<Event> ParseEventLine(absl::string_view line);

}  // namespace pagewarden
