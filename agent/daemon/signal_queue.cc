// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/signal_queue.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "agent/base/files.h"

namespace pagewarden {

absl::StatusOr<SignalQueue> SignalQueue::Open() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&wanted, number);
  if (sigprocmask(SIG_BLOCK, &wanted, nullptr) != 0) return ErrnoStatus(errno, "sigprocmask");
  UniqueFd fd(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.ok()) return ErrnoStatus(errno, "signalfd");
  return SignalQueue(std::move(fd));
}

PendingSignals SignalQueue::Take() {
  PendingSignals pending;
  signalfd_siginfo info;
  while (read(fd_.get(), &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGHUP) {
      pending.reload = true;
    } else {
      pending.stop = true;
    }
  }
  return pending;
}

}  // namespace pagewarden
