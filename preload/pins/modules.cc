// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/modules.h"

#include "preload/abi/pattern.h"
#include "preload/base/macros.h"
#include "preload/base/sys.h"
#include "preload/elf/modules.h"

namespace pagewarden {
namespace {

constexpr size_t kPathBytes = 256;

PW_SEALED char executable[kPathBytes] = {};

}  // namespace

void NameExecutable() {
  const long bytes = sys::ReadLink("/proc/self/exe", executable, sizeof(executable) - 1);
  executable[sys::Failed(bytes) ? 0 : bytes] = 0;
  SetExecutablePath(executable);
}

const char* ModulePathOf(const void* address) {
  Module module;
  return FindModule(reinterpret_cast<uint64_t>(address), &module) ? module.path : nullptr;
}

const char* ModulePath(const dl_phdr_info& info) {
  const char* name = info.dlpi_name;
  return name == nullptr || *name == 0 ? executable : name;
}

bool ModulePatterns::Match(const char* path) const {
  for (uint32_t i = 0; i < range.count; ++i)
    if (MatchesFile(image.text(image.pattern(range.first + i)), path)) return true;
  return false;
}

}  // namespace pagewarden
