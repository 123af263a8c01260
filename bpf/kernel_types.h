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
  unsigned long total_vm;
  int map_count;
  unsigned long hiwater_vm;
  unsigned long exec_vm;
  unsigned long def_flags;
  unsigned long start_brk;
  unsigned long brk;
  unsigned long start_stack;
};

struct super_block {
  unsigned long s_magic;
};

struct address_space {
  unsigned long nrpages;
};

struct inode {
  long long i_size;
  kuid_t i_uid;
  struct super_block *i_sb;
  struct address_space *i_mapping;
};

struct qstr {
  unsigned int len;
  const unsigned char *name;
};

struct dentry {
  struct qstr d_name;
};

struct path {
  struct dentry *dentry;
};

struct file {
  struct path f_path;
  struct inode *f_inode;
  void *private_data;
};

struct vm_area_struct {
  unsigned long vm_start;
  unsigned long vm_end;
  unsigned long vm_flags;
  unsigned long vm_pgoff;
  struct file *vm_file;
};

struct rlimit {
  unsigned long rlim_cur;
  unsigned long rlim_max;
};

struct signal_struct {
  atomic_t live; /* threads; 0: the process ends */
  int nr_threads;
  struct rlimit rlim[16];
};

struct user_struct {
  kuid_t uid;
  atomic_long_t locked_vm;
  atomic_long_t perf_mlock; /* since 7.2, and the stable kernels of that time */
  unsigned long locked_shm; /* up to 5.13; then ucounts.rlimit */
};

struct user_namespace {
  int level;
};

enum rlimit_type { UCOUNT_RLIMIT_MEMLOCK = 3 };

struct ucounts {
  atomic_long_t rlimit[4];
};

struct cred {
  kuid_t uid;
  kuid_t euid;
  kernel_cap_t cap_permitted;
  kernel_cap_t cap_effective;
  kernel_cap_t cap_bset;
  struct user_struct *user;
  struct ucounts *ucounts;
  struct user_namespace *user_ns;
};

struct kernfs_node {
  __u64 id;
  const char *name;
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

struct ipc_namespace {
  struct ns_common ns;
};

struct nsproxy {
  struct ipc_namespace *ipc_ns;
};

struct upid {
  int nr;
  struct pid_namespace *ns;
};

struct seccomp {
  int mode;
};

struct thread_info {
  unsigned long flags;
  __u32 status; /* x86 */
};

struct pid {
  unsigned int level;
  struct upid numbers[1];
};

struct list_head {
  struct list_head *next;
};

struct task_struct {
  struct thread_info thread_info;
  struct list_head tasks;
  void *stack;
  unsigned int flags;
  int pid;
  int tgid;
  struct task_struct *group_leader;
  struct task_struct *real_parent;
  struct pid *thread_pid;
  struct mm_struct *mm;
  const struct cred *real_cred;
  struct signal_struct *signal;
  struct css_set *cgroups;
  struct nsproxy *nsproxy;
  struct seccomp seccomp;
  unsigned long atomic_flags;
  __u64 start_boottime;
  __u64 self_exec_id; /* 32 bits before 5.7 */
  char comm[16];
};

/* A signal as the kernel raises it for a fault. */
union __sifields {
  struct {
    void *_addr;
  } _sigfault;
};

struct kernel_siginfo {
  int si_code;
  union __sifields _sifields;
};

/* BPF memory was charged to the uid through this, up to 5.10. */
struct bpf_map_memory {
  __u32 pages;
  struct user_struct *user;
};

struct bpf_iter__task {
  struct bpf_iter_meta *meta;
  struct task_struct *task;
};

struct bpf_iter__task_vma {
  struct bpf_iter_meta *meta;
  struct task_struct *task;
  struct vm_area_struct *vma;
};

struct bpf_iter__task_file {
  struct bpf_iter_meta *meta;
  struct task_struct *task;
  __u32 fd;
  struct file *file;
};

#pragma clang attribute pop

#endif
