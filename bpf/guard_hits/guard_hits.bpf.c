// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which process touched a guard page of its fence, and from where? The kernel tells
 * of the SIGSEGV before it is delivered: no handler is needed in the process, and
 * what is left of its memory can be read. Costs nothing but at signals.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include "../kernel_types.h"
#include "../task_cgroup.h"
#include "../task_pid.h"
#include "faults.h"

#define MAX_MAPPINGS 16384 /* looked at; a fault is handled with interrupts off */
#define MAX_PARENTS 8

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 64 << 10); /* the agent sets it */
} events SEC(".maps");

/* Kernels without open-coded iterators: where the ledgers are, by the agent's pids. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 65536);
  __type(key, __u32);
  __type(value, __u64);
} ledgers SEC(".maps");

__u64 lost = 0; /* hits that found the ring full, or mappings in use by another thread */

/* 0: this kernel does not tell (bpf_task_pt_regs is of 5.15). */
static __always_inline __u64 current_instruction(void) {
  if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) return 0;
  return instruction_of((const void*)bpf_task_pt_regs(bpf_get_current_task_btf()));
}

static __always_inline void count_lost(void) { __sync_fetch_and_add(&lost, 1); }

static __always_inline struct guard_record* begin(const struct task_struct* task, __u64 address) {
  struct guard_record* record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);

  if (!record) {
    count_lost();
    return NULL;
  }
  record->time_ns = bpf_ktime_get_ns();
  record->address = address;
  __builtin_memset(&record->place, 0, sizeof(record->place));
  record->place.instruction = current_instruction();
  record->mappings = 0;
  record->reserved = 0;
  record->ledger_address = 0;
  record->cgroup_id = task_cgroup_id(task);
  record->pid = pid_for_agent(task);
  record->uid = task->real_cred->euid.val;
  bpf_probe_read_kernel_str(record->comm, sizeof(record->comm), task->group_leader->comm);
  return record;
}

static __always_inline void end(struct guard_record* record, __u64 ledger) {
  record->ledger_address = ledger;
  if (!ledger ||
      bpf_probe_read_user(record->ledger, sizeof(record->ledger), (const void*)ledger)) {
    bpf_ringbuf_discard(record, 0);
  } else {
    bpf_ringbuf_submit(record, 0);
  }
}

/* The first page of the shim's writable data is the ledger's. */
static __always_inline __u64 walk_mappings(struct task_struct* task, struct guard_record* record) {
  struct bpf_iter_task_vma mappings;
  struct vm_area_struct* vma;
  bool has_module = false;
  __u64 ledger = 0;

  if (bpf_iter_task_vma_new(&mappings, task, 0)) count_lost();
  while ((vma = bpf_iter_task_vma_next(&mappings))) {
    if (!has_module) has_module = name_module(vma, &record->place);
    if (!ledger && is_shim_data(vma) && is_in_fence(vma->vm_start, record->address)) {
      ledger = vma->vm_start;
    }
    if ((ledger && has_module) || ++record->mappings >= MAX_MAPPINGS) break;
  }
  bpf_iter_task_vma_destroy(&mappings);
  return ledger;
}

SEC("tp_btf/signal_generate")
int on_signal_generate(__u64* ctx) {
  struct task_struct* task = (struct task_struct*)ctx[2];
  const __u64 address = fault_address((int)ctx[0], (const struct kernel_siginfo*)ctx[1]);
  struct guard_record* record;

  if (!address || !task->mm) return 0;
  record = begin(task, address);
  if (record) end(record, walk_mappings(task, record));
  return 0;
}

/* A child of fork has its parent's ledger, at the same address. */
static __always_inline __u64 find_known(const struct task_struct* task, __u64 address) {
  const struct task_struct* process = task->group_leader;
  __u32 i;

  for (i = 0; i < MAX_PARENTS && process; i++) {
    const __u32 pid = pid_for_agent(process);
    const __u64* ledger = bpf_map_lookup_elem(&ledgers, &pid);

    if (ledger) return is_in_fence(*ledger, address) ? *ledger : 0;
    process = process->real_parent;
  }
  return 0;
}

static long name_found(struct task_struct* task, struct vm_area_struct* vma, void* where) {
  return name_module(vma, where) ? 0 : 1;
}

SEC("tp_btf/signal_generate")
int on_signal_generate_known(__u64* ctx) {
  struct task_struct* task = (struct task_struct*)ctx[2];
  const __u64 address = fault_address((int)ctx[0], (const struct kernel_siginfo*)ctx[1]);
  struct module_place place = {};
  struct guard_record* record;
  __u64 ledger;

  if (!address || !task->mm) return 0;
  ledger = find_known(task, address);
  if (!ledger) return 0;
  record = begin(task, address);
  if (!record) return 0;
  place.instruction = record->place.instruction;
  if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma)) {
    bpf_find_vma(task, place.instruction, name_found, &place, 0);
  }
  record->place = place;
  end(record, ledger);
  return 0;
}
