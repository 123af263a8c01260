// SPDX-License-Identifier: Apache-2.0
// Live images of the policies in force: the host's, and of each cgroup that has one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/policy/live_images.h"
#include "agent/policy/model.h"
#include "agent/policy/select.h"

namespace pagewarden {

// Not thread-safe.
class ImageKeeper {
 public:
  static absl::StatusOr<ImageKeeper> Open(const std::string& runtime_dir, std::string shim_path);

  // Whether all of them can be compiled; nothing is written.
  absl::Status Check(const PolicySet& set, const std::vector<AllocationPolicy>& shipped,
                     const HostIdentity& host) const;

  // Resolved policies with effective modes, to the host's image and to those of all cgroups
  // that have one; to these with the shipped ones behind, as `run` does it. Goes on after an error
  // and returns the first. What is there already is left as it is. `generation`: of the host's
  // image.
  absl::Status Publish(const PolicySet& set, const std::vector<AllocationPolicy>& shipped,
                       const HostIdentity& host, uint32_t& generation);

  // What Publish put there, again where another command has put something else since, or
  // an image for a new cgroup. Errors are left for the next Publish.
  void Restore(const PolicySet& set, const std::vector<AllocationPolicy>& shipped,
               const HostIdentity& host, uint32_t& generation);

  // Images of cgroups that are gone.
  void RemoveGone();

 private:
  ImageKeeper(std::string runtime_dir, std::string shim_path)
      : runtime_dir_(std::move(runtime_dir)), shim_path_(std::move(shim_path)) {}

  // The functions of all presets are hooked, so that rules for them need no restart.
  absl::StatusOr<LiveImages> OpenImages(const std::vector<Preset>& presets) const;

  std::map<std::string, uint32_t> published_;  // generations, by cgroup
  std::string runtime_dir_;
  std::string shim_path_;
};

}  // namespace pagewarden
