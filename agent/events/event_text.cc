// SPDX-License-Identifier: Apache-2.0
#include "agent/events/event_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/audit/events.h"
#include "agent/audit/text.h"

namespace pagewarden {

std::string EventLineForPeople(const Event& event) {
  return absl::StrFormat("%s %-7s %-9s %s %s", LineTime(event.time), SeverityName(event.severity),
                         Printable(event.type),
                         event.cgroup.empty() ? "-" : CgroupName(event.cgroup),
                         Printable(event.text));
}

}  // namespace pagewarden
