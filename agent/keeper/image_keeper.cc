// SPDX-License-Identifier: Apache-2.0
#include "agent/keeper/image_keeper.h"

#include <sys/stat.h>

#include <cerrno>
#include <optional>
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

// The host's image is for programs that nobody started under a shipped policy.
std::vector<AllocationPolicy> PoliciesFor(const std::string& cgroup, const PolicySet& set,
                                          const std::vector<AllocationPolicy>& shipped,
                                          const PodTable& pods, const HostIdentity& host) {
  if (cgroup.empty()) return ForImage(set.policies, Surroundings(), host);
  std::vector<AllocationPolicy> policies = set.policies;
  policies.insert(policies.end(), shipped.begin(), shipped.end());
  return ForImage(policies, FactsOfCgroup(cgroup, pods), host);
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

absl::Status ImageKeeper::Check(const PolicySet& set, const std::vector<AllocationPolicy>& shipped,
                                const HostIdentity& host) const {
  const absl::StatusOr<LiveImages> images = OpenImages(set.presets);
  if (!images.ok()) return images.status();
  const PodTable pods = PodTable::Read();
  for (const std::string& cgroup : All(*images)) {
    const auto image = CompilePolicyImage(PoliciesFor(cgroup, set, shipped, pods, host));
    const absl::Status status = image.ok() ? ValidatePolicyImage(*image) : image.status();
    if (!status.ok()) return Named(cgroup, status);
  }
  return absl::OkStatus();
}

absl::Status ImageKeeper::Publish(const PolicySet& set,
                                  const std::vector<AllocationPolicy>& shipped,
                                  const HostIdentity& host, uint32_t& generation) {
  published_.clear();
  absl::StatusOr<LiveImages> images = OpenImages(set.presets);
  if (!images.ok()) return images.status();
  const PodTable pods = PodTable::Read();
  absl::Status first;
  for (const std::string& cgroup : All(*images)) {
    const auto image = images->Publish(cgroup, PoliciesFor(cgroup, set, shipped, pods, host));
    if (!image.ok()) {
      first.Update(Named(cgroup, image.status()));
      continue;
    }
    published_[cgroup] = image->generation;
    if (cgroup.empty()) generation = image->generation;
  }
  return first;
}

void ImageKeeper::Restore(const PolicySet& set, const std::vector<AllocationPolicy>& shipped,
                          const HostIdentity& host, uint32_t& generation) {
  absl::StatusOr<LiveImages> images = OpenImages(set.presets);
  if (!images.ok()) return;
  std::optional<PodTable> pods;
  for (const std::string& cgroup : All(*images)) {
    if (published_.count(cgroup) > 0 && images->GenerationOf(cgroup) == published_[cgroup])
      continue;
    if (!pods) pods = PodTable::Read();
    const auto image = images->Publish(cgroup, PoliciesFor(cgroup, set, shipped, *pods, host));
    if (!image.ok()) continue;
    published_[cgroup] = image->generation;
    if (cgroup.empty()) generation = image->generation;
  }
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
    published_.erase(cgroup);
    images->Remove(cgroup).IgnoreError();  // what stays is a file that nobody maps
  }
}

}  // namespace pagewarden
