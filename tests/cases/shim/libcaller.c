/* SPDX-License-Identifier: Apache-2.0 */
#include "libcaller.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* operator new, new[], new(nothrow) and new(align_val_t) */
extern void* _Znwm(size_t) __attribute__((weak));
extern void* _Znam(size_t) __attribute__((weak));
extern void* _ZnwmRKSt9nothrow_t(size_t, const void*) __attribute__((weak));
extern void* _ZnwmSt11align_val_t(size_t, size_t) __attribute__((weak));

#define NO_TAIL_CALL(p) __asm__ volatile("" : "+r"(p))

void* called(enum way way, size_t bytes) {
  void* p = NULL;
  switch (way) {
    case BY_MALLOC: p = malloc(bytes); break;
    case BY_CALLOC: p = calloc(1, bytes); break;
    case BY_REALLOC: p = realloc(NULL, bytes); break;
    case BY_REALLOCARRAY: p = reallocarray(NULL, 1, bytes); break;
    case BY_POSIX_MEMALIGN: if (posix_memalign(&p, 64, bytes) != 0) p = NULL; break;
    case BY_ALIGNED_ALLOC: p = aligned_alloc(64, bytes); break;
    case BY_MEMALIGN: p = memalign(64, bytes); break;
    case BY_VALLOC: p = valloc(bytes); break;
    case BY_NEW: p = _Znwm(bytes); break;
    case BY_NEW_ARRAY: p = _Znam(bytes); break;
    case BY_NEW_NOTHROW: p = _ZnwmRKSt9nothrow_t(bytes, ""); break;
    case BY_NEW_ALIGNED: p = _ZnwmSt11align_val_t(bytes, 64); break;
    case WAYS: break;
  }
  NO_TAIL_CALL(p);
  return p;
}

void* other_malloc(size_t bytes) {
  void* p = malloc(bytes);
  NO_TAIL_CALL(p);
  return p;
}

char* called_strdup(const char* text) {
  char* p = strdup(text);
  NO_TAIL_CALL(p);
  return p;
}

char* called_asprintf(const char* text) {
  char* p = NULL;
  if (asprintf(&p, "%s%d", text, 42) < 0) p = NULL;
  NO_TAIL_CALL(p);
  return p;
}
