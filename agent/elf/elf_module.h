// SPDX-License-Identifier: Apache-2.0
// What the loader knows of a program or library: its needs, its exported
// functions, and the slots through which it calls those of others.
//
//   auto module = ReadElfModule("/usr/sbin/nginx");
//   if (module.ok() && module->slots.contains("PEM_read_bio_PrivateKey")) …
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"

namespace pagewarden {

struct ElfFunction {
  uint64_t address = 0;  // in the file's own address space
  uint64_t bytes = 0;
};

struct ElfModule {
  std::string build_id;  // bytes; empty: none
  std::string soname;
  bool has_interpreter = false;        // PT_INTERP: an executable
  std::vector<std::string> needed;     // DT_NEEDED
  std::vector<std::string> rpath;      // DT_RPATH, without effect beside a runpath
  std::vector<std::string> runpath;    // DT_RUNPATH
  bool ignores_default_paths = false;  // DF_1_NODEFLIB
  absl::flat_hash_map<std::string, ElfFunction> functions;  // exported
  absl::flat_hash_set<std::string> slots;                   // symbols that the loader binds for it
};

// NotFound, PermissionDenied: as open(2) says. InvalidArgument: not an ELF file
// of this machine, or a damaged one; the message names the file. A static
// program has no dynamic section and thus nothing but a build-id.
absl::StatusOr<ElfModule> ReadElfModule(const std::string& path);

}  // namespace pagewarden
