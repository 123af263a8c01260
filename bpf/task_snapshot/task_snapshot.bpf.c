// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which process locks and pins how much memory, against which limit, in which
 * cgroup? One task_record per process of the reader's pid namespace.
 */
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "kernel_types.h"
#include "task_snapshot.h"

#include <bpf/bpf_core_read.h>

#define RLIMIT_MEMLOCK 8
#define PF_KTHREAD 0x00200000

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* enum cgroup_hierarchy, set before loading. */
const volatile __u32 hierarchy = CGROUP_HIERARCHY_NONE;

/* tgid is the pid in the initial namespace; /proc shows the reader's. */
static __always_inline __u32 pid_for_reader(const struct task_struct *task) {
  const struct task_struct *reader = (const void *)bpf_get_current_task();
  const __u32 level = BPF_CORE_READ(reader, thread_pid, level);
  const struct pid *pid = BPF_CORE_READ(task, thread_pid);
  const void *entry = (const void *)__builtin_preserve_access_index(&pid->numbers[0]) +
                      level * bpf_core_type_size(struct upid);
  __u32 nr = 0;

  bpf_core_read(&nr, sizeof(nr), &((const struct upid *)entry)->nr);
  return nr;
}

static __always_inline __u64 cgroup_id(const struct task_struct *task) {
  struct cgroup_subsys_state *css = 0;
  const struct css_set *set = BPF_CORE_READ(task, cgroups);

  if (hierarchy == CGROUP_HIERARCHY_V2) return BPF_CORE_READ(set, dfl_cgrp, kn, id);
  if (hierarchy == CGROUP_HIERARCHY_V1_MEMORY &&
      bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
    const __u64 index = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);

    bpf_probe_read_kernel(&css, sizeof(css),
                          __builtin_preserve_access_index(&set->subsys[0]) + index);
    return BPF_CORE_READ(css, cgroup, kn, id);
  }
  return 0;
}

static __always_inline void read_memory(const struct mm_struct *mm, struct task_record *record) {
  record->locked_pages = BPF_CORE_READ(mm, locked_vm);
  if (bpf_core_field_exists(mm->pinned_vm))
    record->pinned_pages = (__u64)BPF_CORE_READ(mm, pinned_vm.counter);
}

static __always_inline void read_credentials(const struct cred *cred, struct task_record *record) {
  const struct user_struct *user = BPF_CORE_READ(cred, user);

  record->effective_uid = BPF_CORE_READ(cred, euid.val);
  record->in_initial_user_ns = BPF_CORE_READ(cred, user_ns, level) == 0;
  bpf_probe_read_kernel(&record->cap_effective, sizeof(record->cap_effective),
                        __builtin_preserve_access_index(&cred->cap_effective));
  record->user_uid = BPF_CORE_READ(user, uid.val);
  /* absent without CONFIG_PERF_EVENTS, BPF_SYSCALL, NET and IO_URING */
  if (bpf_core_field_exists(user->locked_vm))
    record->user_locked_pages = (__u64)BPF_CORE_READ(user, locked_vm.counter);
}

SEC("iter/task")
int snapshot(struct bpf_iter__task *ctx) {
  const struct task_struct *task = ctx->task;
  struct task_record record = {};
  const struct mm_struct *mm;

  if (!task || task->pid != task->tgid || (task->flags & PF_KTHREAD)) return 0;
  mm = task->mm;
  if (!mm) return 0;

  record.pid = pid_for_reader(task);
  record.soft_limit_bytes = BPF_CORE_READ(task, signal, rlim[RLIMIT_MEMLOCK].rlim_cur);
  record.hard_limit_bytes = BPF_CORE_READ(task, signal, rlim[RLIMIT_MEMLOCK].rlim_max);
  record.cgroup_id = cgroup_id(task);
  read_memory(mm, &record);
  read_credentials(BPF_CORE_READ(task, real_cred), &record);
  BPF_CORE_READ_STR_INTO(&record.comm, task, comm);
  bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
  return 0;
}
