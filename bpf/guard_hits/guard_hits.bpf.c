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

/* A child of fork has its parent's ledger, at the same address. */
static __always_inline __u64 find_known(const struct task_struct* task, __u64 address) {
  const struct task_struct* process = task->group_leader;
  __u32 i;

  /* Unrolled: up to 6.1 no loop may be entered again but by a jump. */
#pragma clang loop unroll(full)
  for (i = 0; i < MAX_PARENTS; i++) {
    const __u32 pid = process ? pid_for_agent(process) : 0;
    const __u64* ledger = pid ? bpf_map_lookup_elem(&ledgers, &pid) : NULL;

    if (ledger) return is_in_fence(*ledger, address) ? *ledger : 0;
    if (process) process = process->real_parent;
  }
  return 0;
}

#ifndef PAGEWARDEN_NO_ITERATORS

/* Of threads whose mappings could not be walked when they faulted; key: tid. */
struct fault {
  __u64 address;
  __u64 instruction;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, struct fault);
} faults SEC(".maps");

__u32 has_faults = 0; /* 1: there was one */

/*
 * The first page of the shim's writable data is the ledger's. False: the mappings
 * cannot be walked here (with interrupts off, on kernels that mend the iterator so).
 */
static __always_inline bool walk_mappings(struct task_struct* task, struct guard_record* record,
                                          __u64* ledger) {
  struct bpf_iter_task_vma mappings;
  struct vm_area_struct* vma;
  bool has_module = record->place.name[0] != 0;
  bool has_walked = bpf_iter_task_vma_new(&mappings, task, 0) == 0;

  while ((vma = bpf_iter_task_vma_next(&mappings))) {
    if (!has_module) has_module = name_module(vma, &record->place);
    if (!*ledger && is_shim_data(vma) && is_in_fence(vma->vm_start, record->address)) {
      *ledger = vma->vm_start;
    }
    if ((*ledger && has_module) || ++record->mappings >= MAX_MAPPINGS) break;
  }
  bpf_iter_task_vma_destroy(&mappings);
  return has_walked;
}

static __always_inline void remember(struct task_struct* task, __u64 address) {
  const struct fault fault = {.address = address, .instruction = current_instruction()};
  const __u32 tid = task->pid;

  if (bpf_map_update_elem(&faults, &tid, &fault, BPF_ANY)) {
    count_lost();
  } else {
    has_faults = 1;
  }
}

SEC("tp_btf/signal_generate")
int on_signal_generate(__u64* ctx) {
  struct task_struct* task = (struct task_struct*)ctx[2];
  const __u64 address = fault_address((int)ctx[0], (const struct kernel_siginfo*)ctx[1]);
  struct guard_record* record;
  __u64 ledger = 0;

  if (!address || !task->mm) return 0;
  record = begin(task, address);
  if (!record) return 0;
  record->place.instruction = current_instruction();
  if (!walk_mappings(task, record, &ledger)) {
    ledger = find_known(task, address);
    if (!ledger) remember(task, address);
  }
  end(record, ledger);
  return 0;
}

/*
 * What the fault was to be told of, when interrupts are on again. Only where the exit
 * is told of before mm is gone: those kernels (since 6.16) have a second argument, and
 * others refuse this program for reading it.
 */
SEC("tp_btf/sched_process_exit")
int on_sched_process_exit(__u64* ctx) {
  struct task_struct* task = (struct task_struct*)ctx[0];
  const __u32 tid = task->pid;
  struct guard_record* record;
  struct fault fault;
  const struct fault* found;
  __u64 ledger = 0;

  asm volatile("" : : "r"(ctx[1])); /* that argument; nobody needs its value */
  if (!has_faults) return 0;
  found = bpf_map_lookup_elem(&faults, &tid);
  if (!found) return 0;
  fault = *found;
  bpf_map_delete_elem(&faults, &tid);
  record = begin(task, fault.address);
  if (!record) return 0;
  record->place.instruction = fault.instruction;
  if (!walk_mappings(task, record, &ledger)) count_lost();
  end(record, ledger);
  return 0;
}

#else /* PAGEWARDEN_NO_ITERATORS */

static long name_found(struct task_struct* task, struct vm_area_struct* vma, void* where) {
  return name_module(vma, where) ? 0 : 1;
}

static __always_inline int tell_of_known(const __u64* ctx, bool can_find_module) {
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
  place.instruction = current_instruction();
  if (can_find_module) bpf_find_vma(task, place.instruction, name_found, &place, 0);
  record->place = place;
  end(record, ledger);
  return 0;
}

SEC("tp_btf/signal_generate")
int on_signal_generate_known(__u64* ctx) { return tell_of_known(ctx, true); }

/* Before 5.17 there is no bpf_find_vma, and a callback keeps the program from loading. */
SEC("tp_btf/signal_generate")
int on_signal_generate_plain(__u64* ctx) { return tell_of_known(ctx, false); }

#endif
