/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fills a task_record. Plain loads, not bpf_probe_read_kernel: the verifier knows
 * the type of every pointer reached from a task, and a load that faults gives 0.
 * The helper is left for what BTF cannot describe.
 */
#ifndef PAGEWARDEN_BPF_TASK_FILL_H
#define PAGEWARDEN_BPF_TASK_FILL_H

#include <stdbool.h>

#include "kernel_types.h"
#include "task_cgroup.h"
#include "task_record.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define RLIMIT_MEMLOCK 8
#define PF_KTHREAD 0x00200000
#define VM_LOCKED 0x00002000
#define PFA_NO_NEW_PRIVS 0

static __always_inline void fill_memory(const struct mm_struct *mm, struct task_record *record) {
  record->locked_pages = mm->locked_vm;
  record->pinned_pages = 0;
  if (bpf_core_field_exists(mm->pinned_vm)) record->pinned_pages = mm->pinned_vm.counter;
  record->total_pages = mm->total_vm;
  record->peak_total_pages = mm->hiwater_vm;
  record->executable_pages = mm->exec_vm;
  record->flags |= (mm->def_flags & VM_LOCKED) / VM_LOCKED * TASK_LOCKS_FUTURE;
}

/* Two __u32 before 6.3, a __u64 since: the same eight bytes, little-endian. */
#define LOAD_CAPABILITIES(to, cred, field)                                        \
  do {                                                                            \
    if (bpf_core_field_exists((cred)->field.val)) {                               \
      (to) = (cred)->field.val;                                                   \
    } else {                                                                      \
      bpf_probe_read_kernel(&(to), sizeof(to),                                    \
                            __builtin_preserve_access_index(&(cred)->field));     \
    }                                                                             \
  } while (0)

static __always_inline void fill_shm_count(const struct cred *cred, struct task_record *record) {
  record->user_shm_locked_pages = 0;
  if (bpf_core_field_exists(cred->ucounts) && bpf_core_field_exists(cred->ucounts->rlimit) &&
      bpf_core_enum_value_exists(enum rlimit_type, UCOUNT_RLIMIT_MEMLOCK)) {
    const atomic_long_t *counts = __builtin_preserve_access_index(&cred->ucounts->rlimit[0]);

    counts += bpf_core_enum_value(enum rlimit_type, UCOUNT_RLIMIT_MEMLOCK);
#ifdef HAS_OPEN_CODED_ITERATORS
    record->user_shm_locked_pages = counts->counter;
#else
    /* not a plain load: the verifier of 6.1 follows no typedef in an array */
    bpf_probe_read_kernel(&record->user_shm_locked_pages, sizeof(record->user_shm_locked_pages),
                          counts);
#endif
    record->flags |= TASK_HAS_SHM_COUNT;
  } else if (bpf_core_field_exists(cred->user->locked_shm)) {
    record->user_shm_locked_pages = cred->user->locked_shm;
    record->flags |= TASK_HAS_SHM_COUNT;
  }
}

static __always_inline void fill_credentials(const struct cred *cred, struct task_record *record) {
  const struct user_struct *user = cred->user;

  record->real_uid = cred->uid.val;
  record->effective_uid = cred->euid.val;
  record->user_ns_level = cred->user_ns->level;
  LOAD_CAPABILITIES(record->cap_effective, cred, cap_effective);
  LOAD_CAPABILITIES(record->cap_permitted, cred, cap_permitted);
  LOAD_CAPABILITIES(record->cap_bounding, cred, cap_bset);
  record->user_uid = user->uid.val;
  record->user_locked_pages = 0;
  /* absent without CONFIG_PERF_EVENTS, BPF_SYSCALL, NET and IO_URING */
  if (bpf_core_field_exists(user->locked_vm)) record->user_locked_pages = user->locked_vm.counter;
  record->user_perf_pages = 0;
  if (bpf_core_field_exists(user->perf_mlock)) record->user_perf_pages = user->perf_mlock.counter;
  fill_shm_count(cred, record);
}

/* In words: a helper, or a loop over bytes, costs more than the other fields together. */
static __always_inline void fill_comm(const struct task_struct *task, struct task_record *record) {
  const __u64 *const from = (const void *)__builtin_preserve_access_index(&task->comm);
  __u64 *const to = (void *)record->comm;

  to[0] = from[0];
  to[1] = from[1];
}

static __always_inline void fill_task(const struct task_struct *task, struct task_record *record) {
  record->soft_limit_bytes = task->signal->rlim[RLIMIT_MEMLOCK].rlim_cur;
  record->hard_limit_bytes = task->signal->rlim[RLIMIT_MEMLOCK].rlim_max;
  record->cgroup_id = task_cgroup_id(task);
  record->start_time_ns = 0;
  if (bpf_core_field_exists(task->start_boottime)) record->start_time_ns = task->start_boottime;
  record->exec_id = task->self_exec_id;
  record->ipc_namespace = task->nsproxy->ipc_ns->ns.inum;
  record->seccomp_mode = 0;
  if (bpf_core_field_exists(task->seccomp.mode)) record->seccomp_mode = task->seccomp.mode;
  record->flags |= (task->atomic_flags >> PFA_NO_NEW_PRIVS & 1) * TASK_NO_NEW_PRIVS;
  fill_comm(task, record);
}

/* `mm` is that of `task` and may be NULL, `pid` what the reader calls it. */
static __always_inline void fill_record(const struct task_struct *task, const struct mm_struct *mm,
                                        __u32 pid, struct task_record *record) {
  record->pid = pid;
  record->flags = 0;
  if (mm) {
    fill_memory(mm, record);
  } else {
    record->flags = TASK_LEADER_ENDED;
  }
  fill_credentials(task->real_cred, record);
  fill_task(task, record);
}

#endif
