// SPDX-License-Identifier: Apache-2.0
// The events of a watch as text. Each has an attempt or a guard hit.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "agent/watch/watch.h"

namespace pagewarden {

// "nginx[4711] in /system.slice/nginx.service refused: mlock of 65536 B (64 KiB): OVER_LIMIT:
// …", without the time. One line: what the process chose is made printable.
std::string EventText(const WatchEvent& event);

// One JSON object and a line break: `"type": "attempt"` or "guardHit".
std::string EventJson(const WatchEvent& event);

// Whether the attempt was refused; false: a capability let it through, or it did less than asked.
bool IsRefusal(const WatchEvent& event);

// "2026-11-26T18:40:01+00:00", local.
std::string LineTime(absl::Time time);

}  // namespace pagewarden
