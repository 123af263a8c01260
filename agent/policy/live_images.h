// SPDX-License-Identifier: Apache-2.0
// Images that running processes follow: what is published later reaches them
// without a restart and without a system call of theirs.
//
//   auto images = LiveImages::Open(runtime, shim_path);
//   auto image = images->Publish("/system.slice/nginx.service", policies);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/policy/model.h"
#include "agent/policy/runtime_directory.h"

namespace pagewarden {

struct LiveImage {
  std::string image_path;
  std::string scopes_path;  // empty: no function is named
  uint32_t generation = 0;  // that processes adopt at their next tagged call
};

// Not thread-safe; several processes may publish (`run` and the agent), under a file lock.
class LiveImages {
 public:
  static absl::StatusOr<LiveImages> Open(OwnedDirectory runtime, std::string shim_path);

  // `policies` are resolved and what ForImage gives for the cgroup. Empty path: the host's
  // image, at abi::kTrustedImagePath where the runtime directory is root's. Publishing what
  // is there already changes nothing. A process killed meanwhile leaves the old image.
  absl::StatusOr<LiveImage> Publish(const std::string& cgroup,
                                    const std::vector<AllocationPolicy>& policies);

  // Cgroups that have an image; the host's is "".
  std::vector<std::string> Cgroups() const;

  absl::Status Remove(const std::string& cgroup);

 private:
  LiveImages(OwnedDirectory runtime, std::string shim_path)
      : runtime_(std::move(runtime)), shim_path_(std::move(shim_path)) {}

  OwnedDirectory runtime_;
  std::string shim_path_;
};

}  // namespace pagewarden
