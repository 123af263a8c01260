// SPDX-License-Identifier: Apache-2.0
#include "preload/environment.h"

#include <linux/auxvec.h>
#include <stddef.h>

#include "preload/mem.h"
#include "preload/sys.h"

extern "C" char** environ __attribute__((weak));

namespace pagewarden {

bool EnvironmentReady() { return HasEnvironment() && environ != nullptr; }

bool HasEnvironment() { return &environ != nullptr; }

const char* EnvironmentValue(const char* name) {
  const size_t length = Length(name);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    size_t i = 0;
    while (i < length && (*entry)[i] == name[i]) ++i;
    if (i == length && (*entry)[i] == '=') return *entry + length + 1;
  }
  return nullptr;
}

AuxiliaryVector ReadAuxiliaryVector() {
  constexpr size_t kEntries = 64;
  struct {
    uint64_t type, value;
  } entries[kEntries];
  AuxiliaryVector result;
  const long fd = sys::Open("/proc/self/auxv");
  const long bytes = sys::Failed(fd) ? -1 : sys::Read(fd, entries, sizeof(entries));
  if (!sys::Failed(fd)) sys::Close(fd);
  if (bytes <= 0) {
    result.secure = sys::IdsDiffer();
    return result;
  }
  for (size_t i = 0; i < static_cast<size_t>(bytes) / sizeof(entries[0]); ++i) {
    if (entries[i].type == AT_SECURE) result.secure = entries[i].value != 0;
    if (entries[i].type == AT_RANDOM) result.stack_top = entries[i].value;
  }
  return result;
}

}  // namespace pagewarden
