// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which process locks and pins how much memory, against which limit, in which
 * cgroup? One task_record per process of the reader's pid namespace.
 */
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "../kernel_types.h"
#include "task_snapshot.h"

#include <bpf/bpf_core_read.h>

#define RLIMIT_MEMLOCK 8
#define PF_KTHREAD 0x00200000

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* enum cgroup_hierarchy, set before loading. */
const volatile __u32 hierarchy = CGROUP_HIERARCHY_NONE;

/*
 * Plain loads, not bpf_probe_read_kernel: the verifier knows the type of every
 * pointer reached from ctx->task, and a load that faults gives 0. The helper is
 * left for what BTF cannot describe.
 */

/* tgid is the pid in the initial namespace; /proc shows the reader's. */
static __always_inline __u32 pid_for_reader(const struct task_struct *task) {
  const struct task_struct *reader = (const void *)bpf_get_current_task();
  const __u32 level = BPF_CORE_READ(reader, thread_pid, level);
  const struct pid *thread_pid;
  const struct upid *upid;
  __u32 nr = task->tgid;

  if (level == 0) return nr;
  /* Before 6.3 a pointer of known type takes no variable offset: read it as a number. */
  bpf_core_read(&thread_pid, sizeof(thread_pid), &task->thread_pid);
  upid = (const void *)__builtin_preserve_access_index(&thread_pid->numbers[0]) +
         level * bpf_core_type_size(struct upid);
  bpf_core_read(&nr, sizeof(nr), &upid->nr);
  return nr;
}

static __always_inline __u64 cgroup_id(const struct task_struct *task) {
  const struct css_set *set = task->cgroups;
  struct cgroup_subsys_state *const *css;

  if (hierarchy == CGROUP_HIERARCHY_V2) return set->dfl_cgrp->kn->id;
  if (hierarchy == CGROUP_HIERARCHY_V1_MEMORY &&
      bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
    css = __builtin_preserve_access_index(&set->subsys[0]);
    return css[bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)]->cgroup->kn->id;
  }
  return 0;
}

static __always_inline void read_memory(const struct mm_struct *mm, struct task_record *record) {
  record->locked_pages = mm->locked_vm;
  if (bpf_core_field_exists(mm->pinned_vm)) record->pinned_pages = mm->pinned_vm.counter;
}

static __always_inline void read_credentials(const struct cred *cred, struct task_record *record) {
  const struct user_struct *user = cred->user;

  record->effective_uid = cred->euid.val;
  record->in_initial_user_ns = cred->user_ns->level == 0;
  bpf_probe_read_kernel(&record->cap_effective, sizeof(record->cap_effective),
                        __builtin_preserve_access_index(&cred->cap_effective));
  record->user_uid = user->uid.val;
  /* absent without CONFIG_PERF_EVENTS, BPF_SYSCALL, NET and IO_URING */
  if (bpf_core_field_exists(user->locked_vm)) record->user_locked_pages = user->locked_vm.counter;
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
  record.soft_limit_bytes = task->signal->rlim[RLIMIT_MEMLOCK].rlim_cur;
  record.hard_limit_bytes = task->signal->rlim[RLIMIT_MEMLOCK].rlim_max;
  record.cgroup_id = cgroup_id(task);
  read_memory(mm, &record);
  read_credentials(task->real_cred, &record);
  BPF_CORE_READ_STR_INTO(&record.comm, task, comm);
  bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
  return 0;
}
