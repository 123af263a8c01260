// SPDX-License-Identifier: Apache-2.0
#include "agent/events/event_text.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "agent/audit/events.h"
#include "agent/audit/text.h"

namespace pagewarden {
namespace {

constexpr absl::string_view kEllipsis = "…";  // of our own sentences

// As Printable, but for the backslashes: of what a process chose they are escaped already.
std::string OneLine(absl::string_view text) {
  std::string result;
  while (!text.empty()) {
    const bool is_ellipsis = absl::StartsWith(text, kEllipsis);
    const absl::string_view next = text.substr(0, is_ellipsis ? kEllipsis.size() : 1);
    absl::StrAppend(&result, is_ellipsis || next == "\\" ? std::string(next) : Printable(next));
    text.remove_prefix(next.size());
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
