/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs that watch for refusals share: the agent gives all of them the
 * same maps. `questions` holds what a thread was last asked about CAP_IPC_LOCK, with
 * the kernel's books at that moment, until its call returns.
 */
#ifndef PAGEWARDEN_BPF_ATTEMPT_MAPS_H
#define PAGEWARDEN_BPF_ATTEMPT_MAPS_H

#include <linux/bpf.h>

#include "attempt_request.h"
#include "lock_attempt.h"
#include "task_read.h"

#include <bpf/bpf_helpers.h>

#define TOLD_PER_SECOND 16 /* of one process and kind: a loop must not flood the agent */
#define NS_PER_SECOND 1000000000ull

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 512 * 1024);
} attempts SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, __u32); /* thread, in the initial pid namespace */
  __type(value, struct lock_attempt);
} questions SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, struct attempt_rate_key);
  __type(value, struct attempt_rate);
} rates SEC(".maps");

/* An attempt is larger than a program's stack. One each for a task and an interrupt. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct lock_attempt);
} desk SEC(".maps");

__u64 lost = 0; /* attempts that found the ring buffer full */

static __always_inline struct lock_attempt *take_desk(void) {
  const __u32 zero = 0;

  return bpf_map_lookup_elem(&desk, &zero);
}

/* The current task's call. False: no process of ours, or a 32-bit one. */
static __always_inline int start_attempt(struct lock_attempt *attempt) {
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();
  long number;

  if (!BPF_CORE_READ(task, mm) || is_32_bit(task)) return 0;
  read_task(task, &attempt->task);
  if (attempt->task.pid == 0) return 0;
  attempt->time_ns = bpf_ktime_get_ns();
  attempt->thread = (__u32)bpf_get_current_pid_tgid();
  attempt->tgid = bpf_get_current_pid_tgid() >> 32;
  attempt->map_count = BPF_CORE_READ(task, mm, map_count);
  number = read_user_call(user_registers(task), attempt->args);
  attempt->call = call_of_number(number);
  fill_request(task, number, attempt);
  attempt->result = 0;
  attempt->overlap_bytes = attempt->hugetlb_bytes = 0;
  attempt->locked_after = 0;
  attempt->repeats = 0;
  attempt->flags = attempt->signal = attempt->refusals = attempt->grants = 0;
  return 1;
}

/* False: told often enough in this second; it is counted instead. */
static __always_inline int may_tell(struct lock_attempt *attempt) {
  const struct attempt_rate_key key = {
      .tgid = attempt->tgid,
      .kind = attempt->call << 1 | (attempt->refusals == 0 && attempt->result >= 0),
  };
  const __u64 second = attempt->time_ns / NS_PER_SECOND;
  struct attempt_rate fresh = {.second = second, .told = 1};
  struct attempt_rate *rate = bpf_map_lookup_elem(&rates, &key);

  if (!rate) {
    bpf_map_update_elem(&rates, &key, &fresh, BPF_ANY);
    return 1;
  }
  if (rate->second != second) {
    rate->second = second;
    rate->told = 0;
  }
  if (rate->told >= TOLD_PER_SECOND) {
    __sync_fetch_and_add(&rate->untold, 1);
    return 0;
  }
  /* atomics that give the old value back are of 5.12 */
  __sync_fetch_and_add(&rate->told, 1);
  if (rate->told >= TOLD_PER_SECOND) attempt->flags |= ATTEMPT_LAST_TOLD;
  attempt->repeats = rate->untold;
  if (attempt->repeats) __sync_fetch_and_add(&rate->untold, -attempt->repeats);
  return 1;
}

static __always_inline void tell(struct lock_attempt *attempt) {
  if (!may_tell(attempt)) return;
  if (bpf_ringbuf_output(&attempts, attempt, sizeof(*attempt), 0)) __sync_fetch_and_add(&lost, 1);
}

#endif
