// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/event_teller.h"

#include <unistd.h>

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace pagewarden {
namespace {

Event OfAgent(std::string text) {
  Event event;
  event.time = absl::Now();
  event.type = "agent";
  event.pid = getpid();
  event.text = std::move(text);
  return event;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EventTeller>> EventTeller::Open(const std::string& state_dir) {
  auto log = EventLog::Open(state_dir);
  if (!log.ok()) return log.status();
  auto teller = std::unique_ptr<EventTeller>(new EventTeller(*std::move(log)));
  teller->problems_ = teller->log_.notes();
  return teller;
}

void EventTeller::AddChanges(const HostView& view) {
  std::vector<Event> changes = transitions_.Between(view);
  std::move(changes.begin(), changes.end(), std::back_inserter(waiting_));
}

void EventTeller::AddStart(const AgentPrivileges& privileges,
                           const std::vector<std::string>& gaps) {
  Event event = OfAgent(absl::StrCat("started, pid ", getpid(), ", version ", PAGEWARDEN_VERSION));
  event.details = {{"version", PAGEWARDEN_VERSION},
                   {"capabilities", privileges.kept},
                   {"missing", privileges.missing},
                   {"gaps", gaps}};
  waiting_.push_back(std::move(event));
}

void EventTeller::AddStop() { waiting_.push_back(OfAgent("stopped, as it was asked to")); }

void EventTeller::Problem(std::string text, std::string& last) {
  if (text == last) return;
  last = text;
  if (!text.empty()) problems_.push_back(std::move(text));
}

void EventTeller::Flush(absl::Time now, bool all) {
  std::vector<Event> events = std::exchange(waiting_, {});
  std::vector<Event> seen = gate_.Take(now, all);
  std::move(seen.begin(), seen.end(), std::back_inserter(events));
  if (events.empty()) return;
  const absl::Status kept = log_.Append(events);
  Problem(kept.ok() ? "" : absl::StrCat("events are not kept : ", kept.message()), log_problem_);
  const std::string unprinted = output_.Write(events);
  Problem(unprinted.empty() ? "" : absl::StrCat("events are not printed : ", unprinted),
          output_problem_);
}

std::vector<std::string> EventTeller::TakeProblems() { return std::exchange(problems_, {}); }

}  // namespace pagewarden
