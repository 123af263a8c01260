/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What programs share that walk the processes by themselves and leave a record of
 * each in a map that the agent has mapped. To be included after linux/bpf.h.
 */
#ifndef PAGEWARDEN_BPF_WALK_H
#define PAGEWARDEN_BPF_WALK_H

#include "iterators.h"
#include "reader.h"

/* `found`: records there should be; beyond the map's size they are not there. */
#define WALK_RECORDS(record_type)                     \
  struct {                                            \
    __uint(type, BPF_MAP_TYPE_ARRAY);                 \
    __uint(map_flags, BPF_F_MMAPABLE);                \
    __uint(max_entries, 1); /* the agent sets it */   \
    __type(key, __u32);                               \
    __type(value, record_type);                       \
  } records SEC(".maps");                             \
  __u32 found

/* Has the entries of the list that come next fetched while `task` is looked at: waiting for
 * them one by one is a good part of the walk. */
static __always_inline void fetch_ahead(const struct task_struct *task) {
  const struct list_head *const ahead = task->tasks.next->next;

  asm volatile("" : : "r"(ahead));
}

/* `visit` gets all that the reader can see, kernel threads and zombies too. */
static __always_inline int for_each_process(void (*visit)(struct task_struct *task, __u32 pid)) {
  const struct reader reader = current_reader();
  struct bpf_iter_task tasks;
  struct task_struct *task;
  __u32 pid;

  bpf_rcu_read_lock();
  bpf_iter_task_new(&tasks, 0, BPF_TASK_ITER_ALL_PROCS);
  while ((task = bpf_iter_task_next(&tasks))) {
    fetch_ahead(task);
    pid = pid_for_reader(task, &reader);
    if (pid) visit(task, pid);
  }
  bpf_iter_task_destroy(&tasks);
  bpf_rcu_read_unlock();
  return 0;
}

#endif
