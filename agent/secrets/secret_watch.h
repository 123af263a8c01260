// SPDX-License-Identifier: Apache-2.0
// Looks on a schedule for unfenced copies of the secrets that policies name, in the processes
// that those policies select. A thread of its own has it done by processes of the lowest
// priority, one at a time, that read at most a quarter of the time (agent/secrets/check_runner.h).
//
//   SecretWatch watch({});
//   watch.SetTargets(status.set, {{"nginx-tls-keys", {812, 813}}});  // at every interval
//   view.secrets = watch.Latest();
//
// No byte of a secret is ever in this process. It makes this process undumpable.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "agent/policy/model.h"
#include "agent/secrets/check_runner.h"
#include "agent/secrets/secret_check.h"
#include "agent/secrets/secret_report.h"

namespace pagewarden {

struct SecretWatchOptions {
  absl::Duration every = absl::Minutes(10);
  // From a change of what is to be watched to its check; further changes start it anew, up to
  // ten times as long. From a new process to its first check, too.
  absl::Duration settle = absl::Seconds(2);
  // Between the two looks at an unfenced copy.
  absl::Duration confirm_after = absl::Seconds(1);
  double duty = 0.25;  // the part of the time that is spent reading, above 0 and up to 1
  // From the end of one check of new processes to the next; four times as long as that took,
  // if that is more.
  absl::Duration between_new = absl::Seconds(5);
  size_t most_new = 32;  // processes that one such check looks at; the others wait
  CheckRunnerOptions runner;
};

// Thread-safe. The destructor ends a check that is under way within a tenth of a second.
class SecretWatch {
 public:
  explicit SecretWatch(SecretWatchOptions options);
  ~SecretWatch();
  SecretWatch(const SecretWatch&) = delete;
  SecretWatch& operator=(const SecretWatch&) = delete;

  // The policies, and the processes that each selects (by its name). To be called whenever
  // these change: a process that is no longer among them is not searched any more. A check
  // comes soon if policies name other secrets than before, or if one that names some selects
  // its first processes. Processes that a policy selects later are looked at soon, without the
  // others.
  void SetTargets(std::shared_ptr<const PolicySet> policies, PidsByPolicy processes);

  // Of the last complete check and those of new processes since, less what concerns processes,
  // policies and files that are no longer targets.
  SecretReport Latest() const;

  // The next check starts as soon as none is under way.
  void CheckSoon();

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace pagewarden
