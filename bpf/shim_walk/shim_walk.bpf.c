// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which processes have libpagewarden.so mapped? The name alone decides: who calls
 * something else so only makes the agent look closer.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../walk.h"
#include "shim_walk.h"

#define NAME_BYTES 16

char LICENSE[] SEC("license") = "Dual BSD/GPL";

WALK_RECORDS(struct shim_task);

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

static __always_inline void visit(struct task_struct *task, __u32 pid) {
  struct bpf_iter_task_vma mappings;
  struct vm_area_struct *vma;

  if (!task->mm) return;
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
  found = 0;
  return for_each_process(visit);
}
