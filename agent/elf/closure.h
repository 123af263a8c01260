// SPDX-License-Identifier: Apache-2.0
// The modules that the loader maps for a program: at its start, by DT_NEEDED
// (ld.so(8)), or in a process that runs already.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/elf/elf_module.h"
#include "agent/elf/loader_cache.h"

namespace pagewarden {

struct LoadedModule {
  std::string path;  // as the loader found it, or, of a process, as it is mapped
  ElfModule elf;

  // The last component of the path.
  absl::string_view Name() const;

  // By path or file name (preload/abi/pattern.h), or by the name it was loaded by:
  // a link, which a mapping does not show.
  bool Matches(const std::string& pattern) const;
};

struct Closure {
  std::vector<LoadedModule> modules;  // the executable first
  std::vector<std::string> problems;  // a line each: libraries not found or not readable
};

// The executable and all that it needs, breadth first, as glibc looks for it
// without LD_LIBRARY_PATH. An error only for the executable itself.
absl::StatusOr<Closure> ReadClosure(const std::string& executable, const LoaderCache& cache);

// What is mapped in `pid`, by its view of the file system.
absl::StatusOr<Closure> ReadProcessClosure(pid_t pid);

}  // namespace pagewarden
