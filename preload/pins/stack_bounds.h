// SPDX-License-Identifier: Apache-2.0
// A lock on a part of the main stack parts its mapping, and glibc takes the end of the
// mapping before the upper part for the end of what the stack may grow over:
// pthread_getattr_np(3), by which garbage collectors and interpreters go.
#pragma once

#include "preload/elf/mappings_reader.h"

namespace pagewarden {

// By its place, since the name is only on the part with the arguments.
bool IsMainStack(const Mapping& mapping);

// For Start.
void StartCorrectingStackBounds();

}  // namespace pagewarden

extern "C" {
extern int (*real_pthread_getattr_np)(unsigned long thread, void* attributes);
int intercepted_pthread_getattr_np(unsigned long thread, void* attributes);
}
