// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which cgroups come and go? An event may be of a cgroup that is gone when it is
 * read: its name must be learnt when it is made.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include "../kernel_types.h"
#include "../task_cgroup.h"
#include "cgroup_names.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 64 << 10); /* the agent sets it */
} events SEC(".maps");

__u64 lost = 0;

static __always_inline void tell(const struct cgroup* cgroup, __u32 change) {
  struct cgroup_record* record;

  if (!is_in_hierarchy(cgroup)) return;
  record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
  if (!record) {
    __sync_fetch_and_add(&lost, 1);
    return;
  }
  record->id = cgroup->kn->id;
  record->parent = cgroup->self.parent->cgroup->kn->id;
  record->change = change;
  record->reserved = 0;
  bpf_probe_read_kernel_str(record->name, sizeof(record->name), cgroup->kn->name);
  bpf_ringbuf_submit(record, 0);
}

SEC("tp_btf/cgroup_mkdir")
int on_cgroup_mkdir(__u64* ctx) {
  tell((const struct cgroup*)ctx[0], CGROUP_MADE);
  return 0;
}

SEC("tp_btf/cgroup_rmdir")
int on_cgroup_rmdir(__u64* ctx) {
  tell((const struct cgroup*)ctx[0], CGROUP_REMOVED);
  return 0;
}

SEC("tp_btf/cgroup_rename")
int on_cgroup_rename(__u64* ctx) {
  tell((const struct cgroup*)ctx[0], CGROUP_RENAMED);
  return 0;
}
