/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which results of which calls are worth telling. */
#ifndef PAGEWARDEN_BPF_LOCK_CALLS_OUTCOME_H
#define PAGEWARDEN_BPF_LOCK_CALLS_OUTCOME_H

#include <asm/errno.h>

#include "../attempt_request.h"
#include "../lock_attempt.h"

#define MCL_CURRENT 1
#define MSG_ZEROCOPY 0x4000000
#define BPF_MAP_CREATE_COMMAND 0
#define BPF_PROG_LOAD_COMMAND 5

/* What can be told before anything is read, and sorts out nearly all. */
static __always_inline int is_interesting(__u32 call, long result) {
  switch (call) {
    case ATTEMPT_MLOCK:
    case ATTEMPT_MLOCK2:
    case ATTEMPT_SHMCTL: return result < 0;
    case ATTEMPT_MLOCKALL: return 1;
    case ATTEMPT_MMAP: return result == -EAGAIN || result == -EPERM;
    case ATTEMPT_RING_SETUP: return result == -ENOMEM;
    case ATTEMPT_SETSOCKOPT:
    case ATTEMPT_SEND: return result == -ENOBUFS;
    case ATTEMPT_BPF: return result == -EPERM && bpf_core_type_exists(struct bpf_map_memory);
    default: return 0;
  }
}

static __always_inline int sends_without_copy(long number, const __u64 *args) {
  return ((number == __NR_sendmsg ? args[2] : args[3]) & MSG_ZEROCOPY) != 0;
}

/* `asked`: CAP_IPC_LOCK was asked for in this call. */
static __always_inline int is_refusal(const struct lock_attempt *attempt, long number, int asked) {
  const __u64 *args = attempt->args;
  const long result = attempt->result;

  if (result >= 0) return 0;
  switch (attempt->call) {
    case ATTEMPT_MLOCK:
    case ATTEMPT_MLOCK2:
    case ATTEMPT_MLOCKALL:
    case ATTEMPT_RING_SETUP: return 1;
    case ATTEMPT_SHMCTL: return (int)args[1] == SHM_LOCK_COMMAND;
    case ATTEMPT_SHMGET: return result == -EPERM;
    case ATTEMPT_MMAP:
      return (asked || args[3] & MAP_LOCKED) && (result == -EAGAIN || result == -EPERM);
    case ATTEMPT_MREMAP: return result == -EAGAIN;
    case ATTEMPT_BRK: return result == -ENOMEM;
    case ATTEMPT_SETSOCKOPT: return (int)args[1] == SOL_XDP;
    case ATTEMPT_SEND: return sends_without_copy(number, args);
    case ATTEMPT_BPF: return args[0] == BPF_MAP_CREATE_COMMAND || args[0] == BPF_PROG_LOAD_COMMAND;
    default: return 0;
  }
}

/* Granted, and what it was granted for is over the limit. The books are of before. */
static __always_inline int is_bypass(const struct lock_attempt *attempt) {
  const struct task_record *task = &attempt->task;

  if (attempt->result < 0 || attempt->grants == 0) return 0;
  switch (attempt->call) {
    case ATTEMPT_MLOCK:
    case ATTEMPT_MLOCK2: return attempt->grants >= 2;
    case ATTEMPT_MLOCKALL: return 1;
    case ATTEMPT_SHMCTL: return attempt->grants + attempt->refusals >= 2;
    case ATTEMPT_MMAP:
      if (!(attempt->args[3] & MAP_LOCKED) && !(task->flags & TASK_LOCKS_FUTURE)) return 1;
      return is_over(attempt, task->locked_pages);
    case ATTEMPT_BRK:
    case ATTEMPT_MREMAP: return is_over(attempt, task->locked_pages);
    case ATTEMPT_SETSOCKOPT:
    case ATTEMPT_SEND: return is_over(attempt, task->user_locked_pages);
    default: return 0;
  }
}

static __always_inline int is_partial(const struct lock_attempt *attempt) {
  return attempt->call == ATTEMPT_MLOCKALL && attempt->result == 0 &&
         attempt->args[0] & MCL_CURRENT && attempt->locked_after < attempt->task.total_pages / 2;
}

/* brk returns where the heap ends, which libc makes an ENOMEM of. */
static __always_inline long true_result(__u32 call, const __u64 *args, long result) {
  if (call != ATTEMPT_BRK) return result;
  return result >= 0 && (__u64)result < args[0] ? -ENOMEM : 0;
}

#endif
