// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The question of task_snapshot, answered in one run of a program that walks the
 * list of processes by itself and writes to a map that the agent has mapped: no
 * thread is visited, nothing is copied.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../iterators.h"
#include "../reader.h"
#include "../task_fill.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1); /* the agent sets it */
  __type(key, __u32);
  __type(value, struct task_record);
} records SEC(".maps");

__u32 found; /* records there should be; beyond the map's size they are not there */

static __always_inline void store(struct task_struct *task, __u32 pid) {
  const struct mm_struct *mm = task->mm;
  struct task_record *record;
  __u32 index = found;

  if (!mm && task->signal->nr_threads <= 1) return; /* a zombie */
  record = bpf_map_lookup_elem(&records, &index);
  if (record) fill_record(task, mm, pid, record);
  /* it has ended or called exec: what was read may be of another process's mm */
  barrier();
  if (task->mm == mm) found++;
}

SEC("syscall")
int walk(void *ctx) {
  const struct reader reader = current_reader();
  struct bpf_iter_task tasks;
  struct task_struct *task;
  __u32 pid;

  found = 0;
  bpf_rcu_read_lock();
  bpf_iter_task_new(&tasks, 0, BPF_TASK_ITER_ALL_PROCS);
  while ((task = bpf_iter_task_next(&tasks))) {
    if (task->flags & PF_KTHREAD) continue;
    pid = pid_for_reader(task, &reader);
    if (pid) store(task, pid);
  }
  bpf_iter_task_destroy(&tasks);
  bpf_rcu_read_unlock();
  return 0;
}
