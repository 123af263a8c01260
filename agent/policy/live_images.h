// SPDX-License-Identifier: Apache-2.0
// Images that running processes follow: what is published later reaches them
// without a restart and without a system call of theirs.
//
//   auto images = LiveImages::Open(runtime, shim_path, PresetFunctions(set.presets));
//   auto image = images->Publish("/system.slice/nginx.service", policies);
//
// Below the runtime directory:
//
//   policy.image, scopes.so                  the host's
//   cgroups/HASH/{policy.image,scopes.so}    a cgroup's; its path is in cgroups/HASH/cgroup
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
  std::string scopes_path;  // also when no rule names a function: later ones may
  uint32_t generation = 0;  // that processes adopt at their next tagged call
};

// The functions of presets, each once: what Open wants besides.
std::vector<std::string> PresetFunctions(const std::vector<Preset>& presets);

// Not thread-safe; several processes may publish (`run` and the agent), under a file lock.
class LiveImages {
 public:
  // `functions` are hooked in every process, beside those of its policies: a rule for
  // another function waits for the restart of the processes that run.
  static absl::StatusOr<LiveImages> Open(OwnedDirectory runtime, std::string shim_path,
                                         std::vector<std::string> functions = {});

  // `policies` are resolved and what ForImage gives for the cgroup. Empty path: the host's
  // image, at abi::kTrustedImagePath where the runtime directory is root's. Publishing what
  // is there already changes nothing. A process killed meanwhile leaves the old image.
  absl::StatusOr<LiveImage> Publish(const std::string& cgroup,
                                    const std::vector<AllocationPolicy>& policies);

  // Of the cgroup's image; 0: it has none.
  uint32_t GenerationOf(const std::string& cgroup) const;

  // Cgroups that have an image, sorted; the host's is "".
  std::vector<std::string> Cgroups() const;

  // The processes that follow the image keep what is in force. OK where there is none.
  absl::Status Remove(const std::string& cgroup);

 private:
  LiveImages(OwnedDirectory runtime, std::string shim_path, std::vector<std::string> functions)
      : runtime_(std::move(runtime)),
        shim_path_(std::move(shim_path)),
        functions_(std::move(functions)) {}

  absl::StatusOr<OwnedDirectory> DirectoryOf(const std::string& cgroup) const;
  absl::Status WriteScopes(const OwnedDirectory& directory,
                           const std::vector<AllocationPolicy>& policies) const;

  OwnedDirectory runtime_;
  std::string shim_path_;
  std::vector<std::string> functions_;
};

}  // namespace pagewarden
