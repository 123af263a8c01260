// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The question of task_snapshot, answered in one run of a program that walks the
 * list of processes by itself and writes to a map that the agent has mapped: no
 * thread is visited, nothing is copied.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define HAS_OPEN_CODED_ITERATORS /* 6.7: what only older verifiers refuse can be done */
#include "../task_fill.h"
#include "../walk.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

WALK_RECORDS(struct task_record);

static __always_inline void visit(struct task_struct *task, __u32 pid) {
  const struct mm_struct *mm = task->mm;
  struct task_record *record;
  __u32 index = found;

  if (task->flags & PF_KTHREAD) return;
  if (!mm && task->signal->nr_threads <= 1) return; /* a zombie */
  record = bpf_map_lookup_elem(&records, &index);
  if (record) fill_record(task, mm, pid, record);
  /* it has ended or called exec: what was read may be of another process's mm */
  barrier();
  if (task->mm == mm) found++;
}

SEC("syscall")
int walk(void *ctx) {
  found = 0;
  return for_each_process(visit);
}
