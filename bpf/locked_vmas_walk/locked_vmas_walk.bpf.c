// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How much of what VmLck counts lies in locked mappings, and in which? One record
 * per process that locks anything. VmLck and the mappings are read under one hold
 * of the mmap lock, so that a difference is a difference.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../iterators.h"
#include "../reader.h"
#include "../locked_vmas/locked_kind.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1); /* the agent sets it */
  __type(key, __u32);
  __type(value, struct locked_vmas_record);
} records SEC(".maps");

__u32 found; /* records there should be; beyond the map's size they are not there */

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

static __always_inline void store(struct task_struct *task, const struct mm_struct *mm,
                                  __u32 pid) {
  __u32 index = found++;
  struct locked_vmas_record *const record = bpf_map_lookup_elem(&records, &index);

  if (!record) return;
  __builtin_memset(record, 0, sizeof(*record));
  record->pid = pid;
  if (bpf_core_field_exists(task->start_boottime)) record->start_time_ns = task->start_boottime;
  walk_mappings(task, mm, record);
}

SEC("syscall")
int walk(void *ctx) {
  const struct reader reader = current_reader();
  const struct mm_struct *mm;
  struct bpf_iter_task tasks;
  struct task_struct *task;
  __u32 pid;

  found = 0;
  bpf_rcu_read_lock();
  bpf_iter_task_new(&tasks, 0, BPF_TASK_ITER_ALL_PROCS);
  while ((task = bpf_iter_task_next(&tasks))) {
    mm = task->mm;
    if (!mm || !mm->locked_vm) continue;
    pid = pid_for_reader(task, &reader);
    if (pid) store(task, mm, pid);
  }
  bpf_iter_task_destroy(&tasks);
  bpf_rcu_read_unlock();
  return 0;
}
