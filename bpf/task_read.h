/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fills a task_record where the verifier does not know the task: in kprobes, and in
 * every program that acts on the current task before bpf_get_current_task_btf (5.11).
 * Every load is a bpf_probe_read_kernel, so this is for rare events.
 */
#ifndef PAGEWARDEN_BPF_TASK_READ_H
#define PAGEWARDEN_BPF_TASK_READ_H

#include "kernel_types.h"
#include "task_record.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define MAX_PID_NS_LEVEL 32 /* the kernel's */
#define READ_RLIMIT_MEMLOCK 8
#define READ_VM_LOCKED 0x00002000

/* Set before loading: enum cgroup_hierarchy, and the inode of the agent's pid namespace. */
const volatile __u32 read_hierarchy = CGROUP_HIERARCHY_NONE;
const volatile __u32 agent_pid_namespace = 0;

/* As the agent knows it. 0: not visible in its pid namespace. */
static __always_inline __u32 read_pid(const struct task_struct *task) {
  const struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
  const __u32 deepest = BPF_CORE_READ(pid, level);
  const struct upid *upid;
  struct pid_namespace *ns;
  __u32 level;

  for (level = 0; level <= MAX_PID_NS_LEVEL && level <= deepest; level++) {
    upid = (const void *)__builtin_preserve_access_index(&pid->numbers[0]) +
           level * bpf_core_type_size(struct upid);
    ns = BPF_CORE_READ(upid, ns);
    if (BPF_CORE_READ(ns, ns.inum) == agent_pid_namespace) {
      return BPF_CORE_READ(upid, nr);
    }
  }
  return 0;
}

static __always_inline __u64 read_cgroup_id(const struct task_struct *task) {
  struct css_set *set = BPF_CORE_READ(task, cgroups);
  struct cgroup_subsys_state **css, *state = NULL;

  if (read_hierarchy == CGROUP_HIERARCHY_V2) return BPF_CORE_READ(set, dfl_cgrp, kn, id);
  if (read_hierarchy == CGROUP_HIERARCHY_V1_MEMORY &&
      bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
    css = __builtin_preserve_access_index(&set->subsys[0]);
    css += bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
    bpf_probe_read_kernel(&state, sizeof(state), css);
    return BPF_CORE_READ(state, cgroup, kn, id);
  }
  return 0;
}

static __always_inline void read_memory(const struct mm_struct *mm, struct task_record *record) {
  record->locked_pages = BPF_CORE_READ(mm, locked_vm);
  record->pinned_pages = 0;
  if (bpf_core_field_exists(mm->pinned_vm)) {
    record->pinned_pages = BPF_CORE_READ(mm, pinned_vm.counter);
  }
  record->total_pages = BPF_CORE_READ(mm, total_vm);
  record->peak_total_pages = BPF_CORE_READ(mm, hiwater_vm);
  record->executable_pages = BPF_CORE_READ(mm, exec_vm);
  if (BPF_CORE_READ(mm, def_flags) & READ_VM_LOCKED) record->flags |= TASK_LOCKS_FUTURE;
}

static __always_inline void read_shm_count(const struct cred *cred, struct task_record *record) {
  struct ucounts *ucounts;
  atomic_long_t *counts;

  record->user_shm_locked_pages = 0;
  if (bpf_core_field_exists(cred->ucounts) && bpf_core_field_exists(cred->ucounts->rlimit) &&
      bpf_core_enum_value_exists(enum rlimit_type, UCOUNT_RLIMIT_MEMLOCK)) {
    ucounts = BPF_CORE_READ(cred, ucounts);
    counts = __builtin_preserve_access_index(&ucounts->rlimit[0]);
    counts += bpf_core_enum_value(enum rlimit_type, UCOUNT_RLIMIT_MEMLOCK);
    bpf_probe_read_kernel(&record->user_shm_locked_pages, sizeof(__u64), counts);
    record->flags |= TASK_HAS_SHM_COUNT;
  } else if (bpf_core_field_exists(cred->user->locked_shm)) {
    record->user_shm_locked_pages = BPF_CORE_READ(cred, user, locked_shm);
    record->flags |= TASK_HAS_SHM_COUNT;
  }
}

static __always_inline void read_credentials(const struct cred *cred, struct task_record *record) {
  const struct user_struct *user = BPF_CORE_READ(cred, user);

  record->real_uid = BPF_CORE_READ(cred, uid.val);
  record->effective_uid = BPF_CORE_READ(cred, euid.val);
  record->user_ns_level = BPF_CORE_READ(cred, user_ns, level);
  /* two __u32 before 6.3, a __u64 since: the same eight bytes, little-endian */
  bpf_core_read(&record->cap_effective, sizeof(__u64), &cred->cap_effective);
  bpf_core_read(&record->cap_permitted, sizeof(__u64), &cred->cap_permitted);
  bpf_core_read(&record->cap_bounding, sizeof(__u64), &cred->cap_bset);
  record->user_uid = BPF_CORE_READ(user, uid.val);
  record->user_locked_pages = 0;
  if (bpf_core_field_exists(user->locked_vm)) {
    record->user_locked_pages = BPF_CORE_READ(user, locked_vm.counter);
  }
  record->user_perf_pages = 0;
  if (bpf_core_field_exists(user->perf_mlock)) {
    record->user_perf_pages = BPF_CORE_READ(user, perf_mlock.counter);
  }
  read_shm_count(cred, record);
}

static __always_inline void read_task(const struct task_struct *task, struct task_record *record) {
  const struct signal_struct *signal = BPF_CORE_READ(task, signal);

  record->flags = 0;
  record->pid = read_pid(task);
  record->soft_limit_bytes = BPF_CORE_READ(signal, rlim[READ_RLIMIT_MEMLOCK].rlim_cur);
  record->hard_limit_bytes = BPF_CORE_READ(signal, rlim[READ_RLIMIT_MEMLOCK].rlim_max);
  record->cgroup_id = read_cgroup_id(task);
  record->start_time_ns = 0;
  if (bpf_core_field_exists(task->start_boottime)) {
    record->start_time_ns = BPF_CORE_READ(task, start_boottime);
  }
  record->exec_id = BPF_CORE_READ(task, self_exec_id);
  record->ipc_namespace = BPF_CORE_READ(task, nsproxy, ipc_ns, ns.inum);
  record->seccomp_mode = 0;
  if (bpf_core_field_exists(task->seccomp.mode)) {
    record->seccomp_mode = BPF_CORE_READ(task, seccomp.mode);
  }
  BPF_CORE_READ_STR_INTO(&record->comm, task, comm);
  read_memory(BPF_CORE_READ(task, mm), record);
  read_credentials(BPF_CORE_READ(task, real_cred), record);
}

#endif
