// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What did a call that locks memory return? Told when it is a refusal, or when it
 * went through over the limit. The questions of capability_checks are settled here.
 */
#include <linux/ptrace.h>
#include <linux/types.h>

#include "../attempt_maps.h"
#include "../attempt_range.h"
#include "outcome.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* With the books of before the call where there was a question, else of now. */
static __always_inline int fill_attempt(struct lock_attempt *attempt,
                                        const struct lock_attempt *question) {
  const struct task_struct *task = (const void *)bpf_get_current_task();

  if (question) {
    __builtin_memcpy(attempt, question, sizeof(*attempt));
  } else {
    if (!start_attempt(attempt)) return 0;
    __builtin_memset(attempt->stack, 0, sizeof(attempt->stack));
  }
  attempt->locked_after = BPF_CORE_READ(task, mm, locked_vm);
  return 1;
}

static __noinline int on_return(long number, long result) {
  const __u32 thread = (__u32)bpf_get_current_pid_tgid();
  const __u32 call = call_of_number(number);
  struct lock_attempt *attempt, *question;
  int asked;

  if (call == ATTEMPT_BY_STACK) return 0;
  question = bpf_map_lookup_elem(&questions, &thread);
  if (question && question->call != call) question = NULL;
  asked = question != NULL;
  if (!asked && !is_interesting(call, result)) return 0;
  attempt = take_desk();
  if (!attempt || !fill_attempt(attempt, question)) return 0;
  if (asked) bpf_map_delete_elem(&questions, &thread);
  attempt->flags |= ATTEMPT_HAS_RESULT;
  attempt->result = true_result(call, attempt->args, result);
  if (!is_refusal(attempt, number, asked) && !is_bypass(attempt) && !is_partial(attempt)) return 0;
  if (attempt->result == -ENOMEM && call <= ATTEMPT_MLOCK2) fill_range(attempt);
  tell(attempt);
  return 0;
}

/* A function of a system call: fexit where trampolines work, else a kretprobe. */
#define ON_RETURN(name)                                                               \
  SEC("fexit/__x64_sys_" #name)                                                       \
  int after_x64_##name(__u64 *ctx) { return on_return(__NR_##name, (long)ctx[1]); }   \
  SEC("fexit/__arm64_sys_" #name)                                                     \
  int after_arm64_##name(__u64 *ctx) { return on_return(__NR_##name, (long)ctx[1]); } \
  SEC("kretsyscall/" #name)                                                           \
  int leave_##name(struct pt_regs *ctx) { return on_return(__NR_##name, PT_REGS_RC(ctx)); }

ON_RETURN(mlock)
ON_RETURN(mlock2)
ON_RETURN(mlockall)
ON_RETURN(shmctl)
ON_RETURN(shmget)
ON_RETURN(bpf)
ON_RETURN(io_uring_setup)

/* Every system call of every process pays for these two: only where it was asked for. */
static __always_inline int on_any_return(long result) {
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();

#if defined(__TARGET_ARCH_arm64)
  return on_return(BPF_CORE_READ(user_registers(task), syscallno), result);
#else
  return on_return(BPF_CORE_READ(user_registers(task), orig_ax), result);
#endif
}

SEC("tp_btf/sys_exit")
int on_sys_exit(__u64 *ctx) { return on_any_return((long)ctx[1]); }

SEC("raw_tp/sys_exit")
int on_raw_sys_exit(__u64 *ctx) { return on_any_return((long)ctx[1]); }
