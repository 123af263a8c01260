// SPDX-License-Identifier: Apache-2.0
// The one cgroup hierarchy the audit groups processes by: that of the memory
// controller.
//
// cgroup v1 memory mounted (v1, and the hybrid layout, where systemd keeps the
// controllers on v1 and an empty v2 tree beside them): v1. Otherwise v2.
//
//   auto hierarchy = pagewarden::CgroupHierarchy::Find();
//   if (!hierarchy.ok()) return hierarchy.status();
//   auto path = hierarchy->PathOf(pid);      // "/system.slice/nginx.service"
//
// Paths are those of /proc/PID/cgroup (cgroups(7)): relative to the cgroup
// namespace of the reader. Thread-safe: const after Find.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

enum class CgroupVersion { kV1, kV2 };

// Bytes on the unevictable list: what mlock(2) holds resident, secret memory, ramfs and
// SHM_LOCK, but no pinned pages. v1 counts both; v2 only with the cgroups below.
struct Unevictable {
  std::optional<uint64_t> own;      // v1: `unevictable`
  std::optional<uint64_t> subtree;  // v1: `total_unevictable`; v2: `unevictable`
};

class CgroupHierarchy {
 public:
  // Reads `root`/proc/self/mountinfo; tests pass the root of a fixture tree.
  // NotFound: neither a v1 memory hierarchy nor v2 is mounted.
  static absl::StatusOr<CgroupHierarchy> Find(const std::string& root = "");

  CgroupVersion version() const { return version_; }
  const std::string& mount_point() const { return mount_point_; }

  // The cgroup of a process. NotFound: the process is gone, or not in this hierarchy.
  absl::StatusOr<std::string> PathOf(pid_t pid) const;

  // Inode of each cgroup's directory → path, by walking the mount. Cgroups made
  // or removed meanwhile may be missing. ResourceExhausted: more than 2^17 cgroups.
  absl::StatusOr<absl::flat_hash_map<uint64_t, std::string>> PathsById() const;

  // The directory of a cgroup, which may be gone; empty: it is outside the part of
  // the hierarchy that is mounted.
  std::string DirectoryOf(absl::string_view path) const;

  // Of memory.stat. Both empty: the kernel keeps no such figure for this cgroup
  // (memory controller not enabled in it, or it is gone).
  Unevictable UnevictableOf(absl::string_view path) const;

 private:
  CgroupHierarchy() = default;

  std::string root_;  // of a fixture tree; empty: the real one
  CgroupVersion version_ = CgroupVersion::kV2;
  std::string mount_point_;   // without root_
  std::string mounted_path_;  // the cgroup that is mounted there, "" for "/"
};

}  // namespace pagewarden
