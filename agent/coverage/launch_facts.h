// SPDX-License-Identifier: Apache-2.0
// What a process was started with: it decides whether the loader maps the shim, and
// nothing changes it until the next exec.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "agent/audit/process_row.h"
#include "agent/doctor/environment/environment.h"
#include "agent/doctor/executable_facts.h"

namespace pagewarden {

struct LaunchFacts {
  std::shared_ptr<const ExecutableFacts> executable;  // never null
  std::optional<bool> secure_execution;               // AT_SECURE; absent: could not be read
  std::optional<std::string> preload;  // the shim in LD_PRELOAD; "": not there; absent: unknown
  // The shim in /etc/ld.so.preload of its root, and since when; "": not there.
  std::string system_preload;
  absl::Time system_preload_since;
  std::string why_not_mapped;  // what keeps the loader from mapping it; empty: not known
  Environment environment;
  bool is_prepared = false;  // its unit starts it under `pagewarden run` by now
};

// Executables by device, inode and change time: many processes have the same.
// Not thread-safe.
class ExecutableCache {
 public:
  // `path`: "/proc/12/exe". Never null.
  std::shared_ptr<const ExecutableFacts> Read(const std::string& path);

 private:
  using Key = std::tuple<uint64_t, uint64_t, int64_t, int64_t>;
  absl::flat_hash_map<Key, std::shared_ptr<const ExecutableFacts>> known_;
};

// What cannot be read is left unknown. Reads no more than 6 MiB of text.
LaunchFacts ReadLaunchFacts(const ProcessRow& row, ExecutableCache& executables);

}  // namespace pagewarden
