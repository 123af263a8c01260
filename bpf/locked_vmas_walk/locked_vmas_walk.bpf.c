// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How much of what VmLck counts lies in locked mappings, and in which? One record
 * per process that locks anything. VmLck is read before and after the mappings, so
 * that a difference is a difference: newer kernels lock one mapping at a time.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../locked_vmas/locked_kind.h"
#include "../walk.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

WALK_RECORDS(struct locked_vmas_record);

static __always_inline void walk_mappings(struct task_struct *task, const struct mm_struct *mm,
                                          struct locked_vmas_record *record) {
  struct bpf_iter_task_vma mappings;
  struct vm_area_struct *vma;

  if (bpf_iter_task_vma_new(&mappings, task, 0)) record->flags = LOCKED_UNREAD;
  record->locked_pages = mm->locked_vm;
  while ((vma = bpf_iter_task_vma_next(&mappings))) add_vma(vma, mm, record);
  record->locked_after = mm->locked_vm;
  bpf_iter_task_vma_destroy(&mappings);
  /* it has ended or called exec: these are not the mappings of that VmLck */
  if (task->mm != mm) record->flags = LOCKED_UNREAD;
}

static __always_inline void visit(struct task_struct *task, __u32 pid) {
  const struct mm_struct *mm = task->mm;
  struct locked_vmas_record *record;
  __u32 index = found;

  if (!mm || !mm->locked_vm) return;
  found++;
  record = bpf_map_lookup_elem(&records, &index);
  if (!record) return;
  __builtin_memset(record, 0, sizeof(*record));
  record->pid = pid;
  if (bpf_core_field_exists(task->start_boottime)) record->start_time_ns = task->start_boottime;
  walk_mappings(task, mm, record);
}

SEC("syscall")
int walk(void *ctx) {
  found = 0;
  return for_each_process(visit);
}
