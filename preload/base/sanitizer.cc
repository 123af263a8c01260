// SPDX-License-Identifier: Apache-2.0
#include "preload/base/sanitizer.h"

#include "preload/base/macros.h"
#include "preload/elf/elf_lookup.h"

namespace pagewarden {
namespace {

#define PW_REFUSAL(name) \
  name "'s runtime must be loaded before the shim: this program runs without a fence"

struct Runtime {
  const char* file;
  const char* refusal;
};

constexpr Runtime kRuntimes[] = {
    {"libasan.so", PW_REFUSAL("AddressSanitizer")},
    {"libclang_rt.asan", PW_REFUSAL("AddressSanitizer")},
    {"libhwasan.so", PW_REFUSAL("HWAddressSanitizer")},
    {"libclang_rt.hwasan", PW_REFUSAL("HWAddressSanitizer")},
    {"liblsan.so", PW_REFUSAL("LeakSanitizer")},
};

}  // namespace

const char* SanitizerRefusal(const char* path) {
  for (const Runtime& runtime : kRuntimes)
    if (FileNameStartsWith(path, runtime.file)) return runtime.refusal;
  return nullptr;
}

// AddressSanitizer ends a program whose first library is not its runtime, and
// does so from DT_PREINIT_ARRAY, before any code of the shim. It asks here first.
// The program's own answer comes before the shim's, ASAN_OPTIONS after it.
PW_EXPORT const char* __asan_default_options() { return "verify_asan_link_order=0"; }

}  // namespace pagewarden
