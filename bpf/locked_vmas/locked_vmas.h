/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The locked mappings of one process, summed by what they map. */
#ifndef PAGEWARDEN_BPF_LOCKED_VMAS_H
#define PAGEWARDEN_BPF_LOCKED_VMAS_H

enum locked_kind {
  LOCKED_ANONYMOUS = 0,
  LOCKED_HEAP = 1,
  LOCKED_STACK = 2,
  LOCKED_FILE = 3,
  LOCKED_SHMEM = 4,
  LOCKED_SECRET = 5,
  LOCKED_KINDS = 8, /* a power of two, so that an index can be masked */
};

enum locked_flags {
  LOCKED_UNREAD = 1, /* its mappings could not be walked just now: try again */
};

struct locked_vmas_record {
  __u64 start_time_ns; /* of the process, since boot */
  __u64 locked_pages;  /* mm->locked_vm at the moment of the walk */
  __u64 locked_after;  /* and at its end: if it differs, the sums are of no one moment */
  __u64 bytes[LOCKED_KINDS];
  __u64 on_fault_bytes; /* part of those */
  __u32 pid;            /* in the pid namespace of the reader */
  __u32 flags;          /* enum locked_flags */
};

#ifdef __cplusplus
static_assert(sizeof(locked_vmas_record) == 104, "wire format");
#else
_Static_assert(sizeof(struct locked_vmas_record) == 104, "wire format");
#endif

#endif
