// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who was asked for CAP_IPC_LOCK, and was refused or let through over the limit?
 * What another program sees the end of (`results_follow`) is only noted for it.
 */
#include <linux/ptrace.h>
#include <linux/types.h>

#include "../attempt_maps.h"

#include <bpf/bpf_tracing.h>

#define CAP_IPC_LOCK 14

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Bit n: the result of enum lock_attempt_call n is seen. Set before loading. */
const volatile __u32 results_follow = 0;

static __always_inline int same_place(const struct lock_attempt* a, const struct lock_attempt* b) {
  int i;

  for (i = 0; i < LOCK_ATTEMPT_FRAMES; i++) {
    if (a->stack[i] != b->stack[i]) return 0;
  }
  return 1;
}

static __always_inline int same_call(const struct lock_attempt* a, const struct lock_attempt* b) {
  return a->call == b->call && a->args[0] == b->args[0] && a->args[1] == b->args[1] &&
         a->args[2] == b->args[2] && a->task.soft_limit_bytes == b->task.soft_limit_bytes;
}

/*
 * Adds the question to those of its call. mlock asks from two places, before and after
 * it has subtracted what is locked already: a question from the first place again is
 * another call. Returns how many there are, or 0.
 */
static __always_inline __u32 note(struct lock_attempt* attempt) {
  const int follows = results_follow >> attempt->call & 1;
  struct lock_attempt* first = bpf_map_lookup_elem(&questions, &attempt->thread);

  if (first && same_call(first, attempt) && (follows || !same_place(first, attempt))) {
    first->refusals += attempt->refusals;
    first->grants += attempt->grants;
    attempt->task = first->task; /* SHM_LOCK charges before it compares */
    attempt->refusals = first->refusals;
    attempt->grants = first->grants;
    return attempt->refusals + attempt->grants;
  }
  return bpf_map_update_elem(&questions, &attempt->thread, attempt, BPF_ANY) ? 0 : 1;
}

/* For what asks before it compares, or twice: is this question the end of it? */
static __always_inline int decides(const struct lock_attempt* attempt, __u32 questions_asked) {
  const __u64 limit = attempt->task.soft_limit_bytes;
  const struct task_record* task = &attempt->task;

  switch (attempt->call) {
    case ATTEMPT_MLOCK:
    case ATTEMPT_MLOCK2:
      return questions_asked == (limit == 0 ? 1 : 2);
    case ATTEMPT_MLOCKALL:
      return questions_asked == 1;
    case ATTEMPT_SHMCTL:
      if ((int)attempt->args[1] != SHM_LOCK_COMMAND) return 0;
      return questions_asked == (limit == 0 && attempt->refusals ? 1 : 2);
    case ATTEMPT_SHMGET:
      return attempt->refusals && questions_asked == 1;
    case ATTEMPT_MMAP:
      if (!(attempt->args[3] & MAP_LOCKED) && !(task->flags & TASK_LOCKS_FUTURE)) return 1;
      return is_over(attempt, task->locked_pages) && questions_asked == 1;
    case ATTEMPT_BRK:
    case ATTEMPT_MREMAP:
      return is_over(attempt, task->locked_pages);
    case ATTEMPT_FAULT:
      return attempt->grants && is_over(attempt, task->locked_pages);
    case ATTEMPT_SEND:
    case ATTEMPT_SETSOCKOPT:
      return is_over(attempt, task->user_locked_pages);
    case ATTEMPT_RING_SETUP:
      return 0;
    default:
      return 1;
  }
}

static __always_inline int on_question(void* ctx, int capability, int refused) {
  struct lock_attempt* attempt;
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
int on_cap_capable(__u64* ctx) { return on_question(ctx, (int)ctx[3], (int)ctx[4]); }

/* cred, target namespace, capability, options, result */
SEC("fexit/cap_capable")
int after_cap_capable(__u64* ctx) { return on_question(ctx, (int)ctx[2], (int)ctx[4]); }

SEC("fexit/security_capable")
int after_security_capable(__u64* ctx) { return on_question(ctx, (int)ctx[2], (int)ctx[4]); }

/* The thread's capability of the moment, between the entry and the return of cap_capable. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, __u32);
} asked SEC(".maps");

SEC("kprobe/cap_capable")
int enter_cap_capable(struct pt_regs* ctx) {
  const __u32 thread = (__u32)bpf_get_current_pid_tgid();
  const __u32 capability = PT_REGS_PARM3(ctx);

  if (capability == CAP_IPC_LOCK) bpf_map_update_elem(&asked, &thread, &capability, BPF_ANY);
  return 0;
}

SEC("kretprobe/cap_capable")
int leave_cap_capable(struct pt_regs* ctx) {
  const __u32 thread = (__u32)bpf_get_current_pid_tgid();

  if (bpf_map_delete_elem(&asked, &thread)) return 0;
  return on_question(ctx, CAP_IPC_LOCK, (int)PT_REGS_RC(ctx));
}
