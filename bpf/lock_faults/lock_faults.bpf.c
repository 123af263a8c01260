// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which page faults ended in a signal because of the limit? A locked stack that may not
 * grow gives SIGSEGV; memfd_secret, which kernels since 7.2 charge at the fault, SIGBUS.
 */
#include <linux/types.h>

#include "../attempt_maps.h"
#include "../attempt_range.h"

#define SIGBUS 7
#define SIGSEGV 11
#define SECRETMEM_MAGIC 0x5345434d /* linux/magic.h */
#define FAULT_NS 1000000000ull     /* between the question and the signal of one fault, at most */
#define GROWTH_STEPS 16            /* a fault is less than 2^16 pages below its stack */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct found {
  __u64 page; /* looked for */
  __u64 start;
  __u32 is_secret; /* a page of memfd_secret, and not past its end */
  __u32 is_found;
};

#ifdef PAGEWARDEN_NO_CALLBACKS
static __always_inline struct found mapping_at(__u64 address) {
  return (struct found){.page = address};
}
#else
static long look_at(struct task_struct *task, struct vm_area_struct *vma, void *context) {
  struct found *found = context;
  const struct file *file = vma->vm_file;

  found->start = vma->vm_start;
  found->is_secret = file && file->f_inode->i_sb->s_magic == SECRETMEM_MAGIC &&
                     !is_past_file(vma, found->page + page_bytes);
  found->is_found = 1;
  return 0;
}

static __always_inline struct found mapping_at(__u64 address) {
  struct found found = {.page = page_floor(address)};

  if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma)) {
    bpf_find_vma(bpf_get_current_task_btf(), address, look_at, &found, 0);
  }
  return found;
}
#endif

/* How far the stack had to grow to reach `address`: the mapping next above it is the stack. */
static __always_inline __u64 growth(__u64 address) {
  struct found found = {};
  int i;

  for (i = 0; i < GROWTH_STEPS; i++) {
    found = mapping_at(page_floor(address) + (page_bytes << i));
    if (found.is_found) return found.start - page_floor(address);
  }
  return page_bytes;
}

static __always_inline int tell_fault(struct lock_attempt *attempt, __u32 signal, __u64 address) {
  attempt->signal = signal;
  attempt->address = address;
  tell(attempt);
  return 0;
}

static __always_inline int on_stack_fault(__u64 address) {
  const __u32 thread = (__u32)bpf_get_current_pid_tgid();
  struct lock_attempt *question = bpf_map_lookup_elem(&questions, &thread);
  struct lock_attempt *attempt = take_desk();

  if (!question || !attempt || question->call != ATTEMPT_FAULT || !question->refusals) return 0;
  if (bpf_ktime_get_ns() - question->time_ns > FAULT_NS) return 0;
  __builtin_memcpy(attempt, question, sizeof(*attempt));
  attempt->request_bytes = growth(address);
  return tell_fault(attempt, SIGSEGV, address);
}

static __always_inline int on_bus_error(__u64 address) {
  struct lock_attempt *attempt;
  const struct found found = mapping_at(address);

  if (!found.is_secret) return 0;
  attempt = take_desk();
  if (!attempt || !start_attempt(attempt)) return 0;
  attempt->call = ATTEMPT_FAULT;
  attempt->request_bytes = page_bytes;
  __builtin_memset(attempt->stack, 0, sizeof(attempt->stack));
  return tell_fault(attempt, SIGBUS, address);
}

/* signal, its siginfo or a small number for none, task, group, result */
SEC("tp_btf/signal_generate")
int on_signal(__u64 *ctx) {
  const int signal = (int)ctx[0];
  const struct kernel_siginfo *info = (const void *)ctx[1];
  __u64 address;

  if (signal != SIGSEGV && signal != SIGBUS) return 0;
  if ((unsigned long)info <= 2 || ctx[2] != bpf_get_current_task()) return 0;
  if (BPF_CORE_READ(info, si_code) <= 0) return 0;
  address = (__u64)BPF_CORE_READ(info, _sifields._sigfault._addr);
  return signal == SIGSEGV ? on_stack_fault(address) : on_bus_error(address);
}
