// SPDX-License-Identifier: Apache-2.0
// What an executable file decides: whether a loader maps the shim into it, and what
// executing it does to privileges.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/run/elf_summary.h"
#include "agent/run/secure_exec.h"

namespace pagewarden {

struct FileCapabilities {
  uint64_t permitted = 0;
  bool effective = false;  // all permitted ones become effective, or the exec fails
};

struct ExecutableFacts {
  std::string path;  // as given
  bool readable = false;
  std::optional<ElfSummary> elf;  // absent: not an ELF file
  FilePrivileges privileges;
  FileCapabilities capabilities;
};

// Never fails: a file that cannot be read has `readable` false.
ExecutableFacts ReadExecutableFacts(const std::string& path);

// Of the extended attribute "security.capability" (struct vfs_cap_data,
// linux/capability.h); nothing for what is not of its form.
FileCapabilities ParseFileCapabilities(const std::string& attribute);

}  // namespace pagewarden
