// SPDX-License-Identifier: Apache-2.0
// SIGTERM, SIGINT and SIGHUP as something to read, for a loop (signalfd(2)).
#pragma once

#include "absl/status/statusor.h"
#include "agent/base/unique_fd.h"

namespace pagewarden {

struct PendingSignals {
  bool stop = false;    // SIGTERM, SIGINT
  bool reload = false;  // SIGHUP
};

class SignalQueue {
 public:
  // Blocks them in this thread and in those that it starts from now on. SIGPIPE is ignored.
  static absl::StatusOr<SignalQueue> Open();

  int fd() const { return fd_.get(); }  // for poll(2)

  // Those since the last call. Does not block.
  PendingSignals Take();

 private:
  explicit SignalQueue(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace pagewarden
