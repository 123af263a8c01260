/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in locked memory, for programs that can be changed.

   The functions are weak references: link with the library, or leave it to the
   preloaded shim, or to neither, and test with pagewarden_present(). Where it is
   absent, a program keeps its plain malloc:

     char* key = pagewarden_present() ? pagewarden_alloc("keys", n) : malloc(n);

   To link, use $(pkg-config --libs pagewarden), which is -lpagewarden between
   -Wl,--push-state,--no-as-needed and -Wl,--pop-state: under --as-needed, which
   many compilers pass by themselves, a library is not needed for weak references.
   To leave it to the preloaded shim, compile as a position-independent executable
   (-fPIE -pie, mostly the default): in others the linker sets what is not there to
   null for good. examples/keyring.c shows all three.

   `arena` is the name of an arena of the policy that selects this program; NULL
   is the policy's first. Where no policy does, NULL and "default" mean an arena
   of 1 MiB with every protection on, made at the first call.

   Every function may be called from any thread, but not from a signal handler;
   errno is set on failure and kept on success. free and realloc of the C library
   accept these blocks too, as long as the program binds them to the shim. */
#ifndef PAGEWARDEN_H
#define PAGEWARDEN_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PAGEWARDEN_WEAK __attribute__((weak, visibility("default")))

/* Zeroed memory of the arena, aligned to 16 bytes, wiped when freed. Where the
   arena is full or could not be locked, the policy decides whether ordinary or
   unlocked memory is given out, which is counted, and pagewarden_is_locked says so.
   NULL with ENOENT: no such arena; ENOMEM: the policy says Fail, or no memory. */
PAGEWARDEN_WEAK void* pagewarden_alloc(const char* arena, size_t bytes);

/* As realloc(3), but the old place is wiped, the contents stay in the arena as long
   as it has room or the policy says Fail, and 0 bytes give an empty block, which is
   to be freed. NULL with ENOMEM: the block is as it was. NULL with EINVAL: the block
   is null, which does not say which arena. */
PAGEWARDEN_WEAK void* pagewarden_resize(void* block, size_t bytes);

/* Wipes and frees. NULL is ignored. Ends the program, with a line on stderr, for
   a block that was written past its end or freed before. */
PAGEWARDEN_WEAK void pagewarden_free(void* block);

/* From here to pagewarden_end, what this thread allocates (malloc, new, …, in
   libraries too) comes from the arena. Nests, up to nine deep together with the
   functions that the policy names. Returns 0, or -1 with ENOENT or ENOSPC, and
   then there is nothing to end. */
PAGEWARDEN_WEAK int pagewarden_begin(const char* arena);

/* Ends what the last pagewarden_begin of this thread began. */
PAGEWARDEN_WEAK void pagewarden_end(void);

/* 1 if the byte lies in an arena's memory that is locked in this process, else 0. */
PAGEWARDEN_WEAK int pagewarden_is_locked(const void* block);

struct pagewarden_usage {
  size_t capacity_bytes;   /* usable now; an arena may grow */
  size_t locked_bytes;     /* of those, locked in this process */
  size_t used_bytes;       /* blocks with their canaries */
  size_t live_allocations;
  size_t fallbacks;        /* asked for here, but placed in ordinary memory */
};

/* Returns 0, or -1 with ENOENT: no such arena, or none at all, where the shim is
   disabled or could reserve no memory, and all blocks are ordinary. The figures are
   of one instant only as long as no other thread allocates. */
PAGEWARDEN_WEAK int pagewarden_query(const char* arena, struct pagewarden_usage* out);

static inline int pagewarden_present(void) { return &pagewarden_alloc != NULL; }

#ifdef __cplusplus
}
#endif

#endif
