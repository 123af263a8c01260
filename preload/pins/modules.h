// SPDX-License-Identifier: Apache-2.0
// The modules that a policy pins something of, by patterns of their names.
#pragma once

#include <link.h>
#include <stdint.h>

#include "preload/rules/policy.h"

namespace pagewarden {

// For Start: the executable's own path, which the loader does not tell.
void NameExecutable();

// The path of the object that holds the address; null: none does, such as compiled
// code of a language's own. Async-signal-safe with glibc 2.35 and later.
const char* ModulePathOf(const void* address);

// Of an object that dl_iterate_phdr(3) shows.
const char* ModulePath(const dl_phdr_info& info);

// A list of the image's patterns that modules are compared with.
struct ModulePatterns {
  PolicyImage image;
  abi::Range range;

  bool empty() const { return range.count == 0; }
  bool Match(const char* path) const;
};

}  // namespace pagewarden
