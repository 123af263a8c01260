// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The question of locked_vmas_walk for kernels without open-coded iterators: a
 * record per mapping of each process that locks anything, for the agent to add up.
 */
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "../reader.h"
#include "locked_kind.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("iter/task_vma")
int mapping(struct bpf_iter__task_vma *ctx) {
  const struct vm_area_struct *vma = ctx->vma;
  const struct task_struct *task = ctx->task;
  struct locked_vmas_record record = {};
  const struct mm_struct *mm;
  struct reader reader;

  if (!task || !vma || task->pid != task->tgid) return 0;
  mm = task->mm;
  if (!mm || !mm->locked_vm) return 0;
  reader = current_reader();
  record.pid = pid_for_reader(task, &reader);
  if (!record.pid) return 0;
  if (bpf_core_field_exists(task->start_boottime)) record.start_time_ns = task->start_boottime;
  record.locked_pages = mm->locked_vm;
  record.locked_after = record.locked_pages;
  add_vma(vma, mm, &record);
  bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
  return 0;
}
