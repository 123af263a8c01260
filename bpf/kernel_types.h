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

struct mm_struct {
  unsigned long locked_vm;
  atomic64_t pinned_vm;
};

struct rlimit {
  unsigned long rlim_cur;
  unsigned long rlim_max;
};

struct signal_struct {
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

struct cgroup {
  struct kernfs_node *kn;
};

struct cgroup_subsys_state {
  struct cgroup *cgroup;
};

struct css_set {
  struct cgroup_subsys_state *subsys[16];
  struct cgroup *dfl_cgrp;
};

enum cgroup_subsys_id { memory_cgrp_id = 1 };

struct upid {
  int nr;
};

struct pid {
  unsigned int level;
  struct upid numbers[1];
};

struct task_struct {
  unsigned int flags;
  int pid;
  int tgid;
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
