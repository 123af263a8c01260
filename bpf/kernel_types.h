/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel structures that the programs here read, reduced to the fields that
 * they read. CO-RE finds the real offsets when a program is loaded, so neither
 * order nor completeness matters.
 */
#ifndef PAGEWARDEN_BPF_KERNEL_TYPES_H
#define PAGEWARDEN_BPF_KERNEL_TYPES_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
  __s64 counter;
} atomic64_t;
typedef struct {
  int counter;
} atomic_t;
typedef struct {
  long counter;
} atomic_long_t;
typedef struct {
  unsigned int val;
} kuid_t;
typedef struct {
  __u64 val; /* two __u32 before 6.3: the same eight bytes, little-endian */
} kernel_cap_t;

struct seq_file;

struct bpf_iter_meta {
  struct seq_file *seq;
};

struct task_struct;

struct mm_struct {
  atomic_t mm_users; /* 0: exit_mmap takes it apart */
  unsigned long locked_vm;
  atomic64_t pinned_vm;
  struct task_struct *owner; /* absent without CONFIG_MEMCG */
};

struct rlimit {
  unsigned long rlim_cur;
  unsigned long rlim_max;
};

struct signal_struct {
  atomic_t live; /* threads; 0: the process ends */
  struct rlimit rlim[16];
};

struct user_struct {
  kuid_t uid;
  atomic_long_t locked_vm;
};

struct user_namespace {
  int level;
};

struct cred {
  kuid_t euid;
  kernel_cap_t cap_effective;
  struct user_struct *user;
  struct user_namespace *user_ns;
};

struct kernfs_node {
  __u64 id;
};

struct cgroup_subsys_state {
  struct cgroup *cgroup;
  struct cgroup_subsys_state *parent;
};

struct cgroup_root {
  unsigned int subsys_mask;
  int hierarchy_id; /* 0: the default hierarchy, v2 */
};

struct cgroup {
  struct cgroup_subsys_state self;
  struct kernfs_node *kn;
  struct cgroup_root *root;
};

struct css_set {
  struct cgroup_subsys_state *subsys[16];
  struct cgroup *dfl_cgrp;
};

enum cgroup_subsys_id { memory_cgrp_id = 1 };

struct ns_common {
  unsigned int inum;
};

struct pid_namespace {
  struct ns_common ns;
};

struct upid {
  int nr;
  struct pid_namespace *ns;
};

struct pid {
  unsigned int level;
  struct upid numbers[1];
};

struct task_struct {
  unsigned int flags;
  int pid;
  int tgid;
  __u64 start_boottime;
  struct task_struct *group_leader;
  struct pid *thread_pid;
  struct mm_struct *mm;
  const struct cred *real_cred;
  struct signal_struct *signal;
  struct css_set *cgroups;
  char comm[16];
};

struct bpf_iter__task {
  struct bpf_iter_meta *meta;
  struct task_struct *task;
};

#pragma clang attribute pop

#endif
