// SPDX-License-Identifier: Apache-2.0
// The few facts of an ELF file that decide whether a library can be preloaded
// into it (elf(5)). The file is not trusted: every offset is checked.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace pagewarden {

struct ElfSummary {
  bool is_64_bit = false;
  bool is_host_machine = false;  // class, byte order and machine are those of this program
  bool has_interpreter = false;  // PT_INTERP: a dynamic loader starts it
  std::string interpreter;       // its path; read for host files only
  bool is_go = false;            // has a note of the Go linker; read for host files only
};

// InvalidArgument: not an ELF file, or a damaged one.
absl::StatusOr<ElfSummary> ReadElfSummary(int fd);

// Whether the loader is one of glibc's or musl's, which the shim works under.
bool IsSupportedLoader(const std::string& interpreter);

}  // namespace pagewarden
