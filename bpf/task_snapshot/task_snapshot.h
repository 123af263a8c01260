/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The records that task_snapshot.bpf.c writes to its iterator, one per process.
 * Fixed width, native byte order, no padding. The includer brings the __u types
 * (linux/types.h).
 */
#ifndef PAGEWARDEN_BPF_TASK_SNAPSHOT_H
#define PAGEWARDEN_BPF_TASK_SNAPSHOT_H

#define TASK_RECORD_COMM_BYTES 16

enum cgroup_hierarchy {
  CGROUP_HIERARCHY_NONE = 0,      /* cgroup_id stays 0 */
  CGROUP_HIERARCHY_V2 = 1,        /* the default hierarchy */
  CGROUP_HIERARCHY_V1_MEMORY = 2, /* the one of the v1 memory controller */
};

struct task_record {
  __u64 locked_pages;        /* mm->locked_vm */
  __u64 pinned_pages;        /* mm->pinned_vm */
  __u64 soft_limit_bytes;    /* RLIMIT_MEMLOCK; all ones: unlimited */
  __u64 hard_limit_bytes;    /* likewise */
  __u64 cap_effective;       /* bit n: capability n */
  __u64 cgroup_id;           /* inode of the cgroup's directory */
  __u64 user_locked_pages;   /* user_struct->locked_vm of user_uid, whole uid */
  __u32 user_uid;            /* uid of that user_struct: the real uid */
  __u32 effective_uid;       /* as the initial user namespace sees it */
  __u32 pid;                 /* in the pid namespace of the reader */
  __u32 in_initial_user_ns;  /* 0 or 1 */
  char comm[TASK_RECORD_COMM_BYTES]; /* NUL-terminated */
};

#ifdef __cplusplus
static_assert(sizeof(task_record) == 88, "wire format");
#else
_Static_assert(sizeof(struct task_record) == 88, "wire format");
#endif

#endif
