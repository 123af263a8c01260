/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of the questions for CAP_IPC_LOCK in one call decides it. */
#ifndef PAGEWARDEN_BPF_CAPABILITY_CHECKS_QUESTIONS_H
#define PAGEWARDEN_BPF_CAPABILITY_CHECKS_QUESTIONS_H

#include "../attempt_maps.h"

/* Bit n: the result of enum lock_attempt_call n is seen. Set before loading. */
const volatile __u32 results_follow = 0;

static __always_inline int same_place(const struct lock_attempt *a, const struct lock_attempt *b) {
  int i;

  for (i = 0; i < LOCK_ATTEMPT_FRAMES; i++) {
    if (a->stack[i] != b->stack[i]) return 0;
  }
  return 1;
}

static __always_inline int same_call(const struct lock_attempt *a, const struct lock_attempt *b) {
  return a->call == b->call && a->args[0] == b->args[0] && a->args[1] == b->args[1] &&
         a->args[2] == b->args[2] && a->task.soft_limit_bytes == b->task.soft_limit_bytes;
}

/*
 * Adds the question to those of its call. mlock asks from two places, before and after
 * it has subtracted what is locked already: a question from the first place again is
 * another call. Returns how many there are, or 0.
 */
static __always_inline __u32 note(struct lock_attempt *attempt) {
  const int follows = results_follow >> attempt->call & 1;
  struct lock_attempt *first = bpf_map_lookup_elem(&questions, &attempt->thread);

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
static __always_inline int decides(const struct lock_attempt *attempt, __u32 questions_asked) {
  const __u64 limit = attempt->task.soft_limit_bytes;
  const struct task_record *task = &attempt->task;

  switch (attempt->call) {
    case ATTEMPT_MLOCK:
    case ATTEMPT_MLOCK2: return questions_asked == (limit == 0 ? 1 : 2);
    case ATTEMPT_MLOCKALL: return questions_asked == 1;
    case ATTEMPT_SHMCTL:
      if ((int)attempt->args[1] != SHM_LOCK_COMMAND) return 0;
      return questions_asked == (limit == 0 && attempt->refusals ? 1 : 2);
    case ATTEMPT_SHMGET: return attempt->refusals && questions_asked == 1;
    case ATTEMPT_MMAP:
      if (!(attempt->args[3] & MAP_LOCKED) && !(task->flags & TASK_LOCKS_FUTURE)) return 1;
      return is_over(attempt, task->locked_pages) && questions_asked == 1;
    case ATTEMPT_BRK:
    case ATTEMPT_MREMAP: return is_over(attempt, task->locked_pages);
    case ATTEMPT_FAULT: return attempt->grants && is_over(attempt, task->locked_pages);
    case ATTEMPT_SEND:
    case ATTEMPT_SETSOCKOPT: return is_over(attempt, task->user_locked_pages);
    case ATTEMPT_RING_SETUP: return 0;
    default: return 1;
  }
}

#endif
