/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One process as task_walk and task_snapshot see it. Fixed width, native byte
 * order, no padding. The includer brings the __u types (linux/types.h).
 */
#ifndef PAGEWARDEN_BPF_TASK_RECORD_H
#define PAGEWARDEN_BPF_TASK_RECORD_H

#define TASK_RECORD_COMM_BYTES 16

enum cgroup_hierarchy {
  CGROUP_HIERARCHY_NONE = 0,      /* cgroup_id stays 0 */
  CGROUP_HIERARCHY_V2 = 1,        /* the default hierarchy */
  CGROUP_HIERARCHY_V1_MEMORY = 2, /* the one of the v1 memory controller */
};

enum task_record_flags {
  TASK_LOCKS_FUTURE = 1,  /* mm->def_flags has VM_LOCKED: mlockall(MCL_FUTURE) */
  TASK_NO_NEW_PRIVS = 2,
  TASK_HAS_SHM_COUNT = 4, /* user_shm_locked_pages is a figure */
  TASK_LEADER_ENDED = 8,  /* the pages mean nothing: other threads have the memory */
};

struct task_record {
  __u64 locked_pages;          /* mm->locked_vm */
  __u64 pinned_pages;          /* mm->pinned_vm */
  __u64 total_pages;           /* mm->total_vm */
  __u64 peak_total_pages;      /* mm->hiwater_vm, which may lag behind total_vm */
  __u64 executable_pages;      /* mm->exec_vm: changes when a library is mapped */
  __u64 soft_limit_bytes;      /* RLIMIT_MEMLOCK; all ones: unlimited */
  __u64 hard_limit_bytes;      /* likewise */
  __u64 cap_effective;         /* bit n: capability n */
  __u64 cap_permitted;
  __u64 cap_bounding;
  __u64 cgroup_id;             /* inode of the cgroup's directory */
  __u64 user_locked_pages;     /* user_struct->locked_vm of real_uid, whole uid */
  __u64 user_perf_pages;       /* user_struct->perf_mlock, where perf has a count of its own */
  __u64 user_shm_locked_pages; /* ucounts: SHM_LOCK of the uid in its user namespace */
  __u64 start_time_ns;         /* since boot */
  __u64 exec_id;               /* one more with each exec */
  __u32 real_uid;              /* uids as the initial user namespace sees them */
  __u32 effective_uid;
  __u32 pid;                   /* in the pid namespace of the reader */
  __u32 user_ns_level;         /* 0: the initial user namespace */
  __u32 ipc_namespace;         /* inode of /proc/PID/ns/ipc */
  __u32 seccomp_mode;          /* as in /proc/PID/status */
  __u32 flags;                 /* enum task_record_flags */
  __u32 user_uid;              /* uid of the user_struct */
  char comm[TASK_RECORD_COMM_BYTES]; /* NUL-terminated */
};

#ifdef __cplusplus
static_assert(sizeof(task_record) == 176, "wire format");
#else
_Static_assert(sizeof(struct task_record) == 176, "wire format");
#endif

#endif
