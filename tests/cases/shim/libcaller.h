/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the allocator out of a library, for rules that look at who calls. */
#pragma once

#include <stddef.h>

enum way {
  BY_MALLOC, BY_CALLOC, BY_REALLOC, BY_REALLOCARRAY, BY_POSIX_MEMALIGN, BY_ALIGNED_ALLOC,
  BY_MEMALIGN, BY_VALLOC, BY_NEW, BY_NEW_ARRAY, BY_NEW_NOTHROW, BY_NEW_ALIGNED, WAYS
};

/* Of these, BY_NEW and later need a C++ library in the process. */
void* called(enum way way, size_t bytes);

/* One call of malloc, in a function that no pattern of the policies names. */
void* other_malloc(size_t bytes);

/* Through the C library. */
char* called_strdup(const char* text);
char* called_asprintf(const char* text);
