/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One attempt to lock or pin memory, as the programs that watch for refusals write it
 * to their ring buffer. Fixed width, native byte order, no padding. The includer
 * brings the __u types (linux/types.h).
 */
#ifndef PAGEWARDEN_BPF_LOCK_ATTEMPT_H
#define PAGEWARDEN_BPF_LOCK_ATTEMPT_H

#include "task_record.h"

#define LOCK_ATTEMPT_ARGS 6
#define LOCK_ATTEMPT_FRAMES 16

/* By the number of the system call. */
enum lock_attempt_call {
  ATTEMPT_BY_STACK = 0, /* only the kernel's stack tells which mechanism asked */
  ATTEMPT_MLOCK = 1,
  ATTEMPT_MLOCK2 = 2,
  ATTEMPT_MLOCKALL = 3,
  ATTEMPT_MMAP = 4,
  ATTEMPT_BRK = 5,
  ATTEMPT_MREMAP = 6,
  ATTEMPT_FAULT = 7, /* no system call: a page fault */
  ATTEMPT_SHMCTL = 8,
  ATTEMPT_SHMGET = 9,
  ATTEMPT_RING_SETUP = 10,
  ATTEMPT_RING_REGISTER = 11,
  ATTEMPT_SETSOCKOPT = 12,
  ATTEMPT_SEND = 13, /* sendto, sendmsg, sendmmsg */
  ATTEMPT_BPF = 14,
};

enum lock_attempt_flags {
  ATTEMPT_HAS_RESULT = 1,
  ATTEMPT_HAS_RANGE = 2, /* the mappings of the range were walked */
  ATTEMPT_HOLE = 4,
  ATTEMPT_UNPOPULATABLE = 8,
  ATTEMPT_BOOKS_BEFORE = 16, /* `task` is of before the call, else of its end */
  ATTEMPT_LAST_TOLD = 32,    /* like ones of this process are only counted for a second */
};

struct lock_attempt {
  struct task_record task;
  __u64 time_ns; /* bpf_ktime_get_ns */
  __u64 args[LOCK_ATTEMPT_ARGS];
  __s64 result;
  __u64 address;                    /* of the range, or of the fault */
  __u64 request_bytes;              /* whole pages; 0: not known here */
  __u64 overlap_bytes;              /* of the range, locked already when it was walked */
  __u64 hugetlb_bytes;              /* of the range */
  __u64 locked_after;               /* pages of mm->locked_vm at the end */
  __u64 repeats;                    /* attempts like it since the last one told */
  __u64 stack[LOCK_ATTEMPT_FRAMES]; /* of the kernel when it asked; 0-terminated if shorter */
  __u32 call;                       /* enum lock_attempt_call */
  __u32 flags;                      /* enum lock_attempt_flags */
  __u32 signal;                     /* SIGSEGV or SIGBUS of a fault */
  __u32 map_count;
  __u32 refusals; /* CAP_IPC_LOCK was asked for and refused, times */
  __u32 grants;   /* … and granted */
  __u32 thread;   /* both in the initial pid namespace */
  __u32 tgid;
};

/* The times that an attempt was only counted; one per process and kind. */
struct attempt_rate_key {
  __u32 tgid; /* in the initial pid namespace */
  __u32 kind; /* call × 2, and 1 for those that went through */
};

struct attempt_rate {
  __u64 second; /* of `told`, since boot */
  __u64 told;
  __u64 untold; /* since the last told one */
};

#ifdef __cplusplus
static_assert(sizeof(lock_attempt) == 448, "wire format");
#else
_Static_assert(sizeof(struct lock_attempt) == 448, "wire format");
#endif

#endif
