// SPDX-License-Identifier: Apache-2.0
#include "preload/base/environment.h"

#include <linux/auxvec.h>
#include <stddef.h>

#include "preload/base/mem.h"
#include "preload/base/sys.h"

extern "C" {
extern char** environ __attribute__((weak));
unsigned long getauxval(unsigned long type) __attribute__((weak));  // glibc 2.16, musl 1.1.0
}

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
  AuxiliaryVector result;
  if (&getauxval != nullptr) {
    result.secure = getauxval(AT_SECURE) != 0;
    result.stack_top = getauxval(AT_RANDOM);
    result.file = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  } else {
    result.secure = sys::IdsDiffer();
  }
  return result;
}

}  // namespace pagewarden
