// SPDX-License-Identifier: Apache-2.0
// What the kernel and the caller told this process at exec.
#pragma once

#include <stdint.h>

namespace pagewarden {

// environ is null while the loader still works; then nothing may be decided.
bool EnvironmentReady();

// False in a program without a libc: it will never be ready.
bool HasEnvironment();

// The value of `name`, or null. Not to be asked under secure execution.
const char* EnvironmentValue(const char* name);

struct AuxiliaryVector {
  bool secure = false;     // AT_SECURE: the caller has fewer rights than the program
  uint64_t stack_top = 0;  // an address near the top of the main stack, 0 if unknown
  const char* file = nullptr;  // as exec was asked for it; the last text on the main stack
};

// By getauxval(3); where the C library has none, `secure` falls back to comparing
// real and effective ids.
AuxiliaryVector ReadAuxiliaryVector();

}  // namespace pagewarden
