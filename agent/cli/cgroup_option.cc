// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/cgroup_option.h"

#include <sys/stat.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace pagewarden {

std::string NormalizeCgroup(const CgroupHierarchy* hierarchy, std::string& cgroup) {
  if (cgroup.empty()) return "";
  if (hierarchy == nullptr) {
    return "--cgroup : no cgroup hierarchy with the memory controller is mounted";
  }
  absl::string_view path = cgroup;
  const std::string& mount_point = hierarchy->mount_point();
  if (path == mount_point || absl::StartsWith(path, absl::StrCat(mount_point, "/"))) {
    path.remove_prefix(mount_point.size());
  }
  while (absl::ConsumeSuffix(&path, "/")) {
  }
  absl::ConsumePrefix(&path, "/");
  std::string normal = absl::StrCat("/", path);
  struct stat info;
  if (stat(hierarchy->DirectoryOf(normal).c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return absl::StrCat("--cgroup ", cgroup, " : no such cgroup below ", mount_point);
  }
  cgroup = std::move(normal);
  return "";
}

}  // namespace pagewarden
