// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/service_manager.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

void Notify(const std::string& state) { sd_notify(/*unset_environment=*/0, state.c_str()); }

// Type=notify-reload wants the moment on this clock.
int64_t MonotonicMicroseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000000} + now.tv_nsec / 1000;
}

}  // namespace

ServiceManager::ServiceManager() {
  uint64_t watchdog_us = 0;
  if (sd_watchdog_enabled(/*unset_environment=*/0, &watchdog_us) <= 0) return;
  // sd_watchdog_enabled(3) asks for half the time; a third lets one ping be late.
  ping_every_ = absl::Microseconds(watchdog_us) / 3;
}

void ServiceManager::Ready(const std::string& status) {
  status_ = status;
  Notify(absl::StrCat("READY=1\nSTATUS=", status));
}

void ServiceManager::Reloading() {
  Notify(absl::StrCat("RELOADING=1\nMONOTONIC_USEC=", MonotonicMicroseconds()));
}

void ServiceManager::Stopping() { Notify("STOPPING=1\nSTATUS=stopping"); }

void ServiceManager::Status(const std::string& text) {
  if (text == status_) return;
  status_ = text;
  Notify(absl::StrCat("STATUS=", text));
}

void ServiceManager::Alive(absl::Time now) {
  if (ping_every_ == absl::InfiniteDuration() || now < next_ping_) return;
  next_ping_ = now + ping_every_;
  Notify("WATCHDOG=1");
}

}  // namespace pagewarden
