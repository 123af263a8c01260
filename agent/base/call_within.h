// SPDX-License-Identifier: Apache-2.0
// Calls that another process can make wait for ever: who reads its memory waits for the file
// system behind its mappings, and that may be a program of the same user (fuse(4)). No signal
// ends such a wait for sure.
//
//   const auto result = std::make_shared<Result>();
//   if (!CallWithin(pid, absl::Seconds(1), [=] { *result = Read(pid); })) return TooLate();
#pragma once

#include <cstdint>
#include <functional>

#include "absl/time/time.h"

namespace pagewarden {

// Makes the call on a thread that the calling one keeps for this, and that has descriptors of
// its own: those of the program are closed there. False: it has not ended
// within `limit`, and goes on, so it must own whatever it uses; or an earlier one with the same
// key, or 16 of any, still go on. Thread-safe.
bool CallWithin(int64_t key, absl::Duration limit, std::function<void()> call);

// Ends the calling thread's thread: the next has the rights that the caller has then.
void EndCallThread();

}  // namespace pagewarden
