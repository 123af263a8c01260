// SPDX-License-Identifier: Apache-2.0
// From what happens to the event log and to standard output.
//
//   auto teller = EventTeller::Open("/var/lib/pagewarden");
//   for (const WatchEvent& event : events) teller->Add(event);
//   teller->AddChanges(view);
//   teller->Flush(absl::Now());
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/daemon/event_output.h"
#include "agent/daemon/host_view.h"
#include "agent/daemon/privileges.h"
#include "agent/events/event_log.h"
#include "agent/events/flood_gate.h"
#include "agent/events/transitions.h"

namespace pagewarden {

// Not thread-safe, but for log().
class EventTeller {
 public:
  static absl::StatusOr<std::unique_ptr<EventTeller>> Open(const std::string& state_dir);

  void Add(const WatchEvent& event) { gate_.Add(event); }
  void AddChanges(const HostView& view);
  void AddStart(const AgentPrivileges& privileges, const std::vector<std::string>& gaps);
  void AddStop();

  // Numbers what was added, keeps it, then prints it. `all`: before the agent ends.
  void Flush(absl::Time now, bool all = false);

  // What went wrong since the last call, each kind once, "<what> : <why>".
  std::vector<std::string> TakeProblems();

  const EventLog& log() const { return log_; }

 private:
  explicit EventTeller(EventLog log) : log_(std::move(log)), transitions_(log_.Standing()) {}

  void Problem(std::string text, std::string& last);

  EventLog log_;
  Transitions transitions_;
  FloodGate gate_;
  EventOutput output_;
  std::vector<Event> waiting_;
  std::vector<std::string> problems_;
  std::string log_problem_;
  std::string output_problem_;
};

}  // namespace pagewarden
