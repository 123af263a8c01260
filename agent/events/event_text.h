// SPDX-License-Identifier: Apache-2.0
// An event as a line for people.
#pragma once

#include <string>

#include "agent/events/event.h"

namespace pagewarden {

// "2026-11-26T18:40:01+00:00 warning denial /system.slice/a.service nginx[4711] refused: …",
// local time, without a line break. What processes chose is made printable.
std::string EventLineForPeople(const Event& event);

}  // namespace pagewarden
