// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who was asked for CAP_IPC_LOCK, and was refused or let through over the limit?
 * What another program sees the end of (`results_follow`) is only noted for it.
 */
#include <linux/ptrace.h>
#include <linux/types.h>

#include "../attempt_maps.h"
#include "questions.h"

#include <bpf/bpf_tracing.h>

#define CAP_IPC_LOCK 14

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline int on_question(void *ctx, int capability, int refused) {
  struct lock_attempt *attempt;
  __u32 questions_asked;

  if (capability != CAP_IPC_LOCK) return 0;
  attempt = take_desk();
  if (!attempt || !start_attempt(attempt)) return 0;
  attempt->flags = ATTEMPT_BOOKS_BEFORE;
  attempt->refusals = refused != 0;
  attempt->grants = refused == 0;
  __builtin_memset(attempt->stack, 0, sizeof(attempt->stack));
  bpf_get_stack(ctx, attempt->stack, sizeof(attempt->stack), 0);
  questions_asked = note(attempt);
  if (results_follow >> attempt->call & 1) return 0;
  if (decides(attempt, questions_asked)) tell(attempt);
  return 0;
}

/* cred, target namespace, capable namespace, capability, result */
SEC("tp_btf/cap_capable")
int on_cap_capable(__u64 *ctx) { return on_question(ctx, (int)ctx[3], (int)ctx[4]); }

/* cred, target namespace, capability, options, result */
SEC("fexit/cap_capable")
int after_cap_capable(__u64 *ctx) { return on_question(ctx, (int)ctx[2], (int)ctx[4]); }

SEC("fexit/security_capable")
int after_security_capable(__u64 *ctx) { return on_question(ctx, (int)ctx[2], (int)ctx[4]); }

/* The thread's capability of the moment, between the entry and the return of cap_capable. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, __u32);
} asked SEC(".maps");

SEC("kprobe/cap_capable")
int enter_cap_capable(struct pt_regs *ctx) {
  const __u32 thread = (__u32)bpf_get_current_pid_tgid();
  const __u32 capability = PT_REGS_PARM3(ctx);

  if (capability == CAP_IPC_LOCK) bpf_map_update_elem(&asked, &thread, &capability, BPF_ANY);
  return 0;
}

SEC("kretprobe/cap_capable")
int leave_cap_capable(struct pt_regs *ctx) {
  const __u32 thread = (__u32)bpf_get_current_pid_tgid();

  if (bpf_map_delete_elem(&asked, &thread)) return 0;
  return on_question(ctx, CAP_IPC_LOCK, (int)PT_REGS_RC(ctx));
}
