// SPDX-License-Identifier: Apache-2.0
// What has changed from one look at the host to the next, as events: raised once when it
// begins, ended once when it is over, also where the agent was restarted in between.
//
//   Transitions transitions(log.Standing());
//   std::vector<Event> events = transitions.Between(view);
//   log.Append(events);
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/daemon/host_view.h"
#include "agent/events/event.h"
#include "agent/watch/watch.h"

namespace pagewarden {

// Not thread-safe.
class Transitions {
 public:
  // `standing`: of the event log.
  explicit Transitions(std::vector<Event> standing);

  // `now` is of the view before or later. Something is over when it has not been there
  // for five seconds; a failed reload at once.
  std::vector<Event> Between(const HostView& now);

 private:
  struct Standing {
    Event event;
    absl::Time seen = absl::InfinitePast();  // the last time; never: not since the start
  };

  void NoteTime(absl::Time now);
  void Raise(std::vector<Event> found, absl::Time now, std::vector<Event>& events);
  void End(const HostView& now, std::vector<Event>& events);
  void Reload(const PolicyStatus& policies, absl::Time now, std::vector<Event>& events);
  void Losses(const AgentHealth& health, absl::Time now, std::vector<Event>& events);

  std::map<std::string, Standing> standing_;   // by key
  absl::Time first_ = absl::InfiniteFuture();  // look
  Event last_reload_;                          // type empty: none
  absl::Time seen_attempt_ = absl::InfinitePast();
  std::map<std::string, uint64_t> lost_;  // told, by source
  absl::Time lost_told_ = absl::InfinitePast();
};

// A refusal, a bypass or a guard hit, not limited in number: flood_gate.h.
Event EventOf(const WatchEvent& event);

}  // namespace pagewarden
