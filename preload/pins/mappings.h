// SPDX-License-Identifier: Apache-2.0
// `pin.mappings`: locks in place what mmap(2) returns to the modules that the policy
// names: the pools of programs that do not ask malloc (APR, pymalloc, V8). Only what
// can be written is locked, as soon as it can: reservations cost nothing.
#pragma once

#include <stddef.h>

#include "preload/pins/modules.h"

namespace pagewarden {

// For Start.
void StartPinningMappings(const ModulePatterns& patterns);
void StartPinningAllMappings();

}  // namespace pagewarden

extern "C" {
extern void* (*real_mmap)(void*, size_t, int, int, int, long);
extern void* (*real_mmap64)(void*, size_t, int, int, int, long);
extern int (*real_munmap)(void*, size_t);
extern void* (*real_mremap)(void*, size_t, size_t, int, void*);
extern int (*real_mprotect)(void*, size_t, int);
extern int (*real_madvise)(void*, size_t, int);
void* intercepted_mmap(void* at, size_t bytes, int protection, int flags, int fd, long offset);
void* intercepted_mmap64(void* at, size_t bytes, int protection, int flags, int fd, long offset);
int intercepted_munmap(void* at, size_t bytes);
void* intercepted_mremap(void* at, size_t before, size_t after, int flags, void* to);
int intercepted_mprotect(void* at, size_t bytes, int protection);
int intercepted_madvise(void* at, size_t bytes, int advice);
}
