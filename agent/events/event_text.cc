// SPDX-License-Identifier: Apache-2.0
#include "agent/events/event_text.h"

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "agent/audit/events.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

// As Printable, but for the backslashes: of what a process chose they are escaped already.
std::string OneLine(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += c;
    } else {
      result += Printable(absl::string_view(&c, 1));
    }
  }
  return result;
}

}  // namespace

std::string EventLineForPeople(const Event& event) {
  return absl::StrFormat("%s %-7s %-9s %s %s", LineTime(event.time), SeverityName(event.severity),
                         Printable(event.type),
                         event.cgroup.empty() ? "-" : CgroupName(event.cgroup),
                         OneLine(event.text));
}

}  // namespace pagewarden
