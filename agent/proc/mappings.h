// SPDX-License-Identifier: Apache-2.0
// The address space of another process, from /proc/PID/smaps (proc(5)).
//
//   auto mappings = pagewarden::ReadMappings(pid);
//   if (!mappings.ok()) return mappings.status();
//   for (const Mapping& m : *mappings) if (m.locked) total += m.end - m.start;
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

struct Mapping {
  uint64_t start = 0;
  uint64_t end = 0;  // first byte after the mapping
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool shared = false;
  bool locked = false;        // VmFlags lo
  bool dumpable = true;       // VmFlags without dd
  bool hugetlb = false;       // VmFlags ht
  bool device = false;        // VmFlags io or pf: nothing of it can be locked
  uint64_t file_offset = 0;
  std::string name;           // path, "[heap]", "[stack]" or empty: as the kernel prints it
};

// Parses the text of smaps or maps (then the flags keep their defaults).
// InvalidArgument names the first line that is not of the documented form.
absl::StatusOr<std::vector<Mapping>> ParseMappings(absl::string_view text);

// Reads and parses /proc/PID/smaps. NotFound: no such process (or it is gone);
// PermissionDenied: needs the same user or CAP_SYS_PTRACE.
absl::StatusOr<std::vector<Mapping>> ReadMappings(pid_t pid);

// The same from /proc/PID/maps, which walks no page table; `locked` and
// `dumpable` keep their defaults.
absl::StatusOr<std::vector<Mapping>> ReadMappingsWithoutFlags(pid_t pid);

}  // namespace pagewarden
