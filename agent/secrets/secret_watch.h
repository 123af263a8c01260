// SPDX-License-Identifier: Apache-2.0
// Looks on a schedule for unfenced copies of the secrets that policies name, in the processes
// that those policies select. On a thread of its own, of the lowest priority, that reads at
// most a quarter of the time.
//
//   if (!ProtectOpenSslMemory()) return …;    // once
//   SecretWatch watch({});
//   watch.SetTargets(status.set, {{"nginx-tls-keys", {812, 813}}});  // at every interval
//   view.secrets = watch.Latest();
//
// The files are read for each check, into locked memory that is wiped after it; between
// checks, no byte of a secret is in this process. It makes this process undumpable.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/policy/model.h"
#include "agent/secrets/secret_report.h"

namespace pagewarden {

struct SecretWatchOptions {
  absl::Duration every = absl::Minutes(10);
  // From a change of what is to be watched to its check; further changes start it anew, up to
  // ten times as long.
  absl::Duration settle = absl::Seconds(2);
  // Between the two looks at an unfenced copy.
  absl::Duration confirm_after = absl::Seconds(1);
  double duty = 0.25;  // the part of the time that is spent reading, above 0 and up to 1
};

// Thread-safe. The destructor ends a check that is under way within some milliseconds.
class SecretWatch {
 public:
  explicit SecretWatch(SecretWatchOptions options);
  ~SecretWatch();
  SecretWatch(const SecretWatch&) = delete;
  SecretWatch& operator=(const SecretWatch&) = delete;

  // The policies, and the processes that each selects (by its name). To be called whenever
  // these change: a process that is no longer among them is not searched any more. A check
  // comes soon if policies name other secrets than before, or if one that names some selects
  // its first processes.
  void SetTargets(std::shared_ptr<const PolicySet> policies,
                  std::map<std::string, std::vector<pid_t>> processes);

  // Of the last complete check, less what concerns processes, policies and files that
  // are no longer targets.
  SecretReport Latest() const;

  // The next check starts as soon as none is under way.
  void CheckSoon();

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace pagewarden
