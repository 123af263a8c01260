// SPDX-License-Identifier: Apache-2.0
// Which new processes are to be looked at before the next complete check, and when: each once,
// so many at a time, and with a rest in between that grows with what the last look took.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "absl/time/time.h"
#include "agent/secrets/secret_check.h"

namespace pagewarden {

// Not thread-safe.
class NewProcesses {
 public:
  // As SecretWatchOptions' settle, between_new and most_new.
  NewProcesses(absl::Duration settle, absl::Duration rest, size_t most)
      : settle_(settle), rest_(rest), most_(most) {}

  // Those that policies with secrets select after and did not before. What this process has
  // started is left out: its checks.
  void Update(const SecretTargets& before, const SecretTargets& after, absl::Time now);

  // When the next are to be looked at; InfiniteFuture: there are none.
  absl::Time due() const { return due_; }

  // The next, at most so many; the others are due after a rest.
  PidsByPolicy Take(absl::Time now);

  // A look at what Take gave has ended.
  void Rest(absl::Time now, absl::Duration took);

  void Clear();

 private:
  const absl::Duration settle_;
  const absl::Duration rest_;
  const size_t most_;
  PidsByPolicy waiting_;
  absl::Time due_ = absl::InfiniteFuture();
  absl::Time rested_ = absl::InfinitePast();
};

}  // namespace pagewarden
