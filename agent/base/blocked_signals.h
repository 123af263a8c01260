// SPDX-License-Identifier: Apache-2.0
// Signals are for the program's own threads: one that is started meanwhile gets none.
//
//   const BlockedSignals blocked;
//   thread_ = std::thread(…);
#pragma once

#include <pthread.h>
#include <signal.h>

#include <initializer_list>

namespace pagewarden {

// Of the calling thread, until it is destroyed there. What a fault raises is not held back.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigdelset(&all, signal);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace pagewarden
