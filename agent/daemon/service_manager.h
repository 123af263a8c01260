// SPDX-License-Identifier: Apache-2.0
// Tells systemd how the agent is (sd_notify(3)); does nothing where no service manager asks.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace pagewarden {

// Not thread-safe.
class ServiceManager {
 public:
  ServiceManager();

  void Ready(const std::string& status);
  // Ready ends it.
  void Reloading();
  void Stopping();
  void Status(const std::string& text);  // only when it is another one

  // The loop works: pings the watchdog of WatchdogSec= as often as it needs. Call it only
  // when what the service is for was done. `now`: SteadyNow().
  void Alive(absl::Time now);

 private:
  absl::Duration ping_every_ = absl::InfiniteDuration();  // no watchdog
  absl::Time next_ping_ = absl::InfinitePast();
  std::string status_;
};

}  // namespace pagewarden
