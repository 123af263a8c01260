// SPDX-License-Identifier: Apache-2.0
#include "agent/bpf/program_constants.h"

#include <linux/types.h>
#include <sys/stat.h>

#include "bpf/task_record.h"

namespace pagewarden {

uint32_t HierarchyConstant(std::optional<CgroupVersion> version) {
  if (!version) return CGROUP_HIERARCHY_NONE;
  return *version == CgroupVersion::kV2 ? CGROUP_HIERARCHY_V2 : CGROUP_HIERARCHY_V1_MEMORY;
}

uint32_t OwnPidNamespace() {
  struct stat info;
  return stat("/proc/self/ns/pid", &info) == 0 ? static_cast<uint32_t>(info.st_ino) : 0;
}

}  // namespace pagewarden
