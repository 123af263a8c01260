// SPDX-License-Identifier: Apache-2.0
// Makes a process fit to hold secrets: for one that reads them, looks for them, and ends.
//
//   const absl::Status guarded = GuardProcess();
//   if (!guarded.ok()) return guarded;  // RLIMIT_MEMLOCK is too low
//   return OnGuardedStack([&] { ReadThemAndLook(); });
//
// What then holds a secret is locked (mlock(2)), left out of core dumps (MADV_DONTDUMP) and
// wiped: SecretBytes, all that OpenSSL allocates, and the stack. As a second line, so is
// whatever else the process can write to when GuardProcess is called, and the heap's next MiB,
// where RLIMIT_MEMLOCK has room for it. Registers are those of a thread that holds secrets.
#pragma once

#include <functional>

#include "absl/status/status.h"

namespace pagewarden {

// Once, before there are other threads. Also: no core dump of this process is written, no other
// program of its user may trace it (PR_SET_DUMPABLE), and the soft RLIMIT_MEMLOCK is at least
// 8 MiB, where the hard one lets it. FailedPrecondition: something cannot be locked, and why; it is
// in force all the same as far as it goes.
absl::Status GuardProcess();

// Runs `work` on a thread with a locked stack, which is wiped after it, and waits for its end.
// Signals are that thread's, as they were the caller's. ResourceExhausted: no such stack; `work`
// has not run.
absl::Status OnGuardedStack(const std::function<void()>& work);

}  // namespace pagewarden
