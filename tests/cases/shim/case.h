/* SPDX-License-Identifier: Apache-2.0 */
/* What every case shares. A case is one small program that is run under the
   shim with cases.yaml: allocations inside tagged(body) are secret. Its first
   comment lines say how it must end:

     // exit: 0 | SIGABRT | SIGSEGV
     // stderr: the exact line, if it must print one
     // without: ipc_lock             (a capability to run without)
     // memlock: 65536                (RLIMIT_MEMLOCK, bytes)
     // policy: strict.yaml           (instead of cases.yaml; several: one after the other)
     // libc: musl                    (built with musl-gcc as well) */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif
/* In libcase.so; named by a `during` rule. Calls body(data). */
void tagged(void (*body)(void*), void* data);

/* Named as well: returns through ten integer, stack and vector arguments. */
struct big {
  long words[10];
};
struct big tagged_arguments(long a, double b, long c, long d, long e, long f, long g, long h,
                            long double i, struct big j);
double tagged_sum(int count, ...);
void* tagged_malloc(size_t bytes);
#ifdef __cplusplus
}
#endif

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);  \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

/* Whether the kernel holds the page of p locked and out of core dumps. */
static inline int has_flag(const void* p, const char* flag) {
  FILE* maps = fopen("/proc/self/smaps", "r");
  char line[512];
  int inside = 0, found = 0;
  if (maps == NULL) return -1;
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long start, end;
    if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
      inside = (uintptr_t)p >= start && (uintptr_t)p < end;
    if (inside && strncmp(line, "VmFlags:", 8) == 0) found = strstr(line, flag) != NULL;
  }
  fclose(maps);
  return found;
}

static inline int is_fenced(const void* p) { return has_flag(p, " lo") && has_flag(p, " dd"); }

static inline int all_zero(const void* p, size_t bytes) {
  const volatile unsigned char* b = (const volatile unsigned char*)p;
  for (size_t i = 0; i < bytes; ++i)
    if (b[i] != 0) return 0;
  return 1;
}
