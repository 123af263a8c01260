// SPDX-License-Identifier: Apache-2.0
// Keeps signal handlers off this thread, so that none runs within, and none jumps out.
#pragma once

#include "preload/base/sys.h"
#include "preload/base/thread.h"

namespace pagewarden {

// Within another one, it costs nothing.
class SignalGuard {
 public:
  explicit SignalGuard(bool wanted) : blocks_(wanted && !pw_thread.signals_blocked) {
    if (!blocks_) return;
    constexpr uint64_t kAll = UINT64_MAX;
    sys::SetSignalMask(&kAll, &before_);
    pw_thread.signals_blocked = true;
  }
  ~SignalGuard() {
    if (!blocks_) return;
    pw_thread.signals_blocked = false;
    sys::SetSignalMask(&before_, nullptr);
  }
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  const bool blocks_;
  uint64_t before_;
};

}  // namespace pagewarden
