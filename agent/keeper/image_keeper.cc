// SPDX-License-Identifier: Apache-2.0
#include "agent/keeper/image_keeper.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/policy/image.h"
#include "agent/policy/surroundings.h"
#include "agent/run/image_policies.h"

namespace pagewarden {
namespace {

absl::Status Named(const std::string& cgroup, const absl::Status& status) {
  const std::string of = cgroup.empty() ? "the host's image" : absl::StrCat("image of ", cgroup);
  return absl::Status(status.code(), absl::StrCat(of, ": ", status.message()));
}

Surroundings SurroundingsOf(const std::string& cgroup, const PodTable& pods) {
  return cgroup.empty() ? Surroundings() : FactsOfCgroup(cgroup, pods);
}

// The host's first: it is the one that all have.
std::vector<std::string> All(const LiveImages& images) {
  std::vector<std::string> cgroups = {""};
  for (std::string& cgroup : images.Cgroups()) {
    if (!cgroup.empty()) cgroups.push_back(std::move(cgroup));
  }
  return cgroups;
}

}  // namespace

absl::StatusOr<ImageKeeper> ImageKeeper::Open(const std::string& runtime_dir,
                                              std::string shim_path) {
  ImageKeeper keeper(runtime_dir, std::move(shim_path));
  const absl::StatusOr<LiveImages> images = keeper.OpenImages({});
  if (!images.ok()) return images.status();
  return keeper;
}

absl::StatusOr<LiveImages> ImageKeeper::OpenImages(const std::vector<Preset>& presets) const {
  absl::StatusOr<OwnedDirectory> runtime = OwnedDirectory::Open(runtime_dir_);
  if (!runtime.ok()) return runtime.status();
  return LiveImages::Open(*std::move(runtime), shim_path_, PresetFunctions(presets));
}

absl::Status ImageKeeper::Check(const PolicySet& set, const HostIdentity& host) const {
  const absl::StatusOr<LiveImages> images = OpenImages(set.presets);
  if (!images.ok()) return images.status();
  const PodTable pods = PodTable::Read();
  for (const std::string& cgroup : All(*images)) {
    const auto image =
        CompilePolicyImage(ForImage(set.policies, SurroundingsOf(cgroup, pods), host));
    const absl::Status status = image.ok() ? ValidatePolicyImage(*image) : image.status();
    if (!status.ok()) return Named(cgroup, status);
  }
  return absl::OkStatus();
}

absl::Status ImageKeeper::Publish(const PolicySet& set, const HostIdentity& host,
                                  uint32_t& generation) {
  absl::StatusOr<LiveImages> images = OpenImages(set.presets);
  if (!images.ok()) return images.status();
  const PodTable pods = PodTable::Read();
  absl::Status first;
  for (const std::string& cgroup : All(*images)) {
    const auto image =
        images->Publish(cgroup, ForImage(set.policies, SurroundingsOf(cgroup, pods), host));
    if (!image.ok()) first.Update(Named(cgroup, image.status()));
    if (image.ok() && cgroup.empty()) generation = image->generation;
  }
  return first;
}

void ImageKeeper::RemoveGone() {
  const absl::StatusOr<CgroupHierarchy> hierarchy = CgroupHierarchy::Find();
  absl::StatusOr<LiveImages> images = OpenImages({});
  if (!hierarchy.ok() || !images.ok()) return;
  for (const std::string& cgroup : images->Cgroups()) {
    const std::string directory = hierarchy->DirectoryOf(cgroup);
    struct stat info;
    if (cgroup.empty() || directory.empty()) continue;
    if (stat(directory.c_str(), &info) == 0 || errno != ENOENT) continue;
    images->Remove(cgroup).IgnoreError();  // what stays is a file that nobody maps
  }
}

}  // namespace pagewarden
