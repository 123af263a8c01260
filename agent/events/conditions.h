// SPDX-License-Identifier: Apache-2.0
// What of a view of the host deserves an event for as long as it is so. Processes of one
// cgroup with the same trouble are one event.
#pragma once

#include <vector>

#include "agent/daemon/host_view.h"
#include "agent/events/event.h"

namespace pagewarden {

// Each with `details.key`, unique among them, and without a number. All types that last
// but "reload".
std::vector<Event> ConditionsOf(const HostView& view);

// Whether `view` can say that such an event's cause is gone: not, as long as the first
// check of secrets has not ended.
bool CanTell(const HostView& view, const Event& event);

}  // namespace pagewarden
