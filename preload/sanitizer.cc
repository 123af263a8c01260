// SPDX-License-Identifier: Apache-2.0
#include "preload/sanitizer.h"

#include "preload/elf_lookup.h"
#include "preload/macros.h"

namespace pagewarden {

bool IsSanitizer(const char* path) {
  constexpr const char* kRuntimes[] = {"libasan.so",       "liblsan.so",       "libhwasan.so",
                                       "libclang_rt.asan", "libclang_rt.lsan", "libclang_rt.hwasan"};
  for (const char* runtime : kRuntimes)
    if (FileNameStartsWith(path, runtime)) return true;
  return false;
}

// AddressSanitizer ends a program whose first library is not its runtime, and
// does so from DT_PREINIT_ARRAY, before any code of the shim. It asks here first.
// The program's own answer comes before the shim's, ASAN_OPTIONS after it.
PW_EXPORT const char* __asan_default_options() { return "verify_asan_link_order=0"; }

}  // namespace pagewarden
