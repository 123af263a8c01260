// SPDX-License-Identifier: Apache-2.0
// Stands in for watch.cc in a build with -Dbpf=disabled.
#include "agent/watch/watch.h"

namespace pagewarden {

struct Watch::State {};

Watch::Watch(std::unique_ptr<State> state) : state_(std::move(state)) {}
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&&) noexcept = default;
Watch::~Watch() = default;

absl::StatusOr<Watch> Watch::Open(const CgroupHierarchy*, const WatchOptions&) {
  return absl::UnimplementedError("this pagewarden was built without BPF");
}

std::vector<WatchEvent> Watch::Poll(absl::Duration) { return {}; }
absl::flat_hash_map<pid_t, Peak> Watch::ProcessPeaks() const { return {}; }
absl::flat_hash_map<std::string, Peak> Watch::CgroupPeaks() const { return {}; }
std::vector<HookReport> Watch::hooks() const { return {}; }

}  // namespace pagewarden
