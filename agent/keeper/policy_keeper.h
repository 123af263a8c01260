// SPDX-License-Identifier: Apache-2.0
// Keeps the policies of the drop-in directories in force while they change: reads,
// checks, resolves and compiles all of them, then takes all or none.
//
//   auto keeper = PolicyKeeper::Open(options);
//   for (;;) {
//     …wait for keeper.fd(), until keeper.Deadline() at most…
//     if (keeper.Poll(absl::Now())) Tell(keeper.status());
//   }
//
// A change is noticed by inotify, by SIGHUP (Reload) and, where neither works, by looking
// at the files every few seconds. A burst of changes is taken as one.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "agent/keeper/directory_watch.h"
#include "agent/keeper/image_keeper.h"
#include "agent/keeper/load_policies.h"
#include "agent/keeper/policy_status.h"

namespace pagewarden {

struct KeeperOptions {
  std::vector<std::string> directories;
  std::optional<abi::Mode> max_mode;
  std::string runtime_dir;  // of images and of the override "mode"; is there
  std::string shim_path;
  std::string shipped;    // directory of the shipped policies; presets/ is below
  bool publishes = true;  // false: images are left alone
};

// Not thread-safe; what status() points to may be shared.
class PolicyKeeper {
 public:
  // Tries to load at once: what is wrong with the policies is in status(), and the set is
  // then empty. Fails where the runtime directory cannot be used.
  static absl::StatusOr<PolicyKeeper> Open(KeeperOptions options);

  int fd() const { return watch_.fd(); }  // readable: call Poll. May change with each Poll
  // When Poll has something to do even if nothing happens.
  absl::Time Deadline() const;

  // Whether policies were reloaded, or could not be, or apply to others since today.
  bool Poll(absl::Time now);

  // Whether that is another one than before, and all was loaded again for it.
  bool SetMaxMode(std::optional<abi::Mode> max_mode, absl::Time now);

  // As for SIGHUP: whether or not anything seems to have changed.
  void Reload(absl::Time now);

  const PolicyStatus& status() const { return status_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  // Of all policies that `run` takes here, the shipped ones included.
  std::set<std::string> PolicyNames() const;

 private:
  explicit PolicyKeeper(KeeperOptions options);

  // Where the clock was set back, what was due by it is due now.
  void NoteTime(absl::Time now);
  bool LookAtFiles(absl::Time now);
  void Take(LoadedPolicies loaded, absl::Time now);
  // Appends what could not be published to `errors`.
  void Publish(const LoadedPolicies& loaded, absl::Time now, std::vector<std::string>& errors);

  KeeperOptions options_;
  PolicySources sources_;
  DirectoryWatch watch_;
  std::optional<ImageKeeper> images_;
  PolicyStatus status_;
  std::vector<std::string> warnings_;
  std::vector<AllocationPolicy> shipped_;
  std::string print_;  // of the files, before they were read
  absl::Time first_hint_ = absl::InfiniteFuture();
  absl::Time last_hint_ = absl::InfiniteFuture();
  absl::Time next_look_;   // at the files, without a hint
  absl::Time next_sweep_;  // of the images
  absl::Time noted_;       // when Poll or Reload was called last
  absl::CivilDay today_;
};

}  // namespace pagewarden
