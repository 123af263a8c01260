// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which process locks and pins how much memory, against which limit, in which
 * cgroup? One task_record per process of the reader's pid namespace. For kernels
 * without open-coded iterators: it is called for every thread of the machine.
 */
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "../reader.h"
#include "../task_fill.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * A process whose main thread has ended lives on in the others, any of which has
 * the same mm. The agent takes the first record of a pid.
 */
static __always_inline int speaks_for_process(const struct task_struct *task) {
  if (task->flags & PF_KTHREAD) return 0;
  return task->pid == task->tgid || !task->group_leader->mm;
}

SEC("iter/task")
int snapshot(struct bpf_iter__task *ctx) {
  const struct task_struct *task = ctx->task;
  struct task_record record = {};
  const struct mm_struct *mm;
  struct reader reader;
  __u32 pid;

  if (!task || !speaks_for_process(task)) return 0;
  mm = task->mm;
  if (!mm) return 0;
  reader = current_reader();
  pid = pid_for_reader(task->group_leader, &reader);
  if (!pid) return 0;
  fill_record(task, mm, pid, &record);
  bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
  return 0;
}
