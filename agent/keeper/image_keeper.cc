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
  absl::StatusOr<OwnedDirectory> runtime = OwnedDirectory::Open(runtime_dir);
  if (!runtime.ok()) return runtime.status();
  absl::StatusOr<LiveImages> images = LiveImages::Open(*std::move(runtime), std::move(shim_path));
  if (!images.ok()) return images.status();
  return ImageKeeper(*std::move(images));
}

absl::Status ImageKeeper::Check(const std::vector<AllocationPolicy>& policies,
                                const HostIdentity& host) const {
  const PodTable pods = PodTable::Read();
  for (const std::string& cgroup : All(images_)) {
    const auto image = CompilePolicyImage(ForImage(policies, SurroundingsOf(cgroup, pods), host));
    const absl::Status status = image.ok() ? ValidatePolicyImage(*image) : image.status();
    if (!status.ok()) return Named(cgroup, status);
  }
  return absl::OkStatus();
}

absl::Status ImageKeeper::Publish(const std::vector<AllocationPolicy>& policies,
                                  const HostIdentity& host, uint32_t& generation) {
  const PodTable pods = PodTable::Read();
  absl::Status first;
  for (const std::string& cgroup : All(images_)) {
    const auto image =
        images_.Publish(cgroup, ForImage(policies, SurroundingsOf(cgroup, pods), host));
    if (!image.ok()) first.Update(Named(cgroup, image.status()));
    if (image.ok() && cgroup.empty()) generation = image->generation;
  }
  return first;
}

void ImageKeeper::RemoveGone() {
  const absl::StatusOr<CgroupHierarchy> hierarchy = CgroupHierarchy::Find();
  if (!hierarchy.ok()) return;
  for (const std::string& cgroup : images_.Cgroups()) {
    const std::string directory = hierarchy->DirectoryOf(cgroup);
    struct stat info;
    if (cgroup.empty() || directory.empty()) continue;
    // Processes follow an image by its mapping: an error only leaves a file behind.
    if (stat(directory.c_str(), &info) != 0 && errno == ENOENT)
      images_.Remove(cgroup).IgnoreError();
  }
}

}  // namespace pagewarden
