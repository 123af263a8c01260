// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which processes have libpagewarden.so mapped? The name alone decides: who calls
 * something else so only makes the agent look closer.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../iterators.h"
#include "../reader.h"
#include "shim_walk.h"

#define NAME_BYTES 16

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1); /* the agent sets it */
  __type(key, __u32);
  __type(value, struct shim_task);
} records SEC(".maps");

__u32 found; /* records there should be; beyond the map's size they are not there */

static __always_inline int is_shim(const struct vm_area_struct *vma) {
  const char wanted[NAME_BYTES] = "libpagewarden.so"; /* no room for the NUL, nor need */
  const struct file *file = vma->vm_file;
  const struct dentry *dentry;
  __u64 name[2];

  if (!file) return 0;
  dentry = file->f_path.dentry;
  if (dentry->d_name.len != NAME_BYTES) return 0;
  bpf_probe_read_kernel(name, sizeof(name), dentry->d_name.name);
  return name[0] == ((const __u64 *)wanted)[0] && name[1] == ((const __u64 *)wanted)[1];
}

static __always_inline void store(__u32 pid, __u32 unread) {
  __u32 index = found++;
  struct shim_task *const record = bpf_map_lookup_elem(&records, &index);

  if (record) *record = (struct shim_task){.pid = pid, .unread = unread};
}

static __always_inline void look_at(struct task_struct *task, __u32 pid) {
  struct bpf_iter_task_vma mappings;
  struct vm_area_struct *vma;

  if (bpf_iter_task_vma_new(&mappings, task, 0)) store(pid, 1);
  while ((vma = bpf_iter_task_vma_next(&mappings))) {
    if (!is_shim(vma)) continue;
    store(pid, 0);
    break;
  }
  bpf_iter_task_vma_destroy(&mappings);
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
    if (!task->mm) continue;
    pid = pid_for_reader(task, &reader);
    if (pid) look_at(task, pid);
  }
  bpf_iter_task_destroy(&tasks);
  bpf_rcu_read_unlock();
  return 0;
}
