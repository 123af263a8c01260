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

/* False: it was ending, and what was read may be of another process's mm. */
static __always_inline int store(struct task_struct *task, __u32 pid) {
  const struct mm_struct *mm = task->mm;
  struct task_record *record;
  __u32 index = found;

  if (!mm) return 0;
  record = bpf_map_lookup_elem(&records, &index);
  if (record) fill_record(task, mm, pid, record);
  barrier();
  if (task->mm != mm) return 0;
  found++;
  return 1;
}

/* A process whose main thread has ended lives on in the others. */
static __always_inline void store_any_thread(struct task_struct *task, __u32 pid) {
  struct task_struct *const leader = bpf_task_acquire(task);
  struct bpf_iter_task threads;
  struct task_struct *thread;

  if (!leader) return;
  bpf_iter_task_new(&threads, leader, BPF_TASK_ITER_PROC_THREADS);
  while ((thread = bpf_iter_task_next(&threads))) {
    if (store(thread, pid)) break;
  }
  bpf_iter_task_destroy(&threads);
  bpf_task_release(leader);
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
    if (!pid) continue;
    if (task->mm) {
      store(task, pid);
    } else if (task->signal->nr_threads > 1) {
      store_any_thread(task, pid);
    }
  }
  bpf_iter_task_destroy(&tasks);
  bpf_rcu_read_unlock();
  return 0;
}
