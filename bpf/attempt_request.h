/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How much a call asks for, rounded to pages as the kernel does, and whether that is
 * over the limit. Many checks ask for the capability before they compare: there only
 * this arithmetic tells a refusal.
 */
#ifndef PAGEWARDEN_BPF_ATTEMPT_REQUEST_H
#define PAGEWARDEN_BPF_ATTEMPT_REQUEST_H

#include "kernel_types.h"
#include "lock_attempt.h"
#include "user_call.h"

#define MAP_LOCKED 0x2000
#define MAP_ANONYMOUS 0x20
#define SHM_LOCK_COMMAND 11
#define SOL_XDP 283
#define XDP_UMEM_REG 4
#define MAX_VECTORS 64

/* Set before loading. */
const volatile __u64 page_bytes = 4096;

struct user_vector {
  __u64 base, bytes;
};

/* struct user_msghdr, as sendmsg takes it. */
struct user_message {
  __u64 name, name_bytes;
  __u64 vectors, vectors_count;
};

static __always_inline __u64 page_floor(__u64 bytes) { return bytes & ~(page_bytes - 1); }
static __always_inline __u64 page_ceil(__u64 bytes) { return page_floor(bytes + page_bytes - 1); }

/* Pages that [address, address + bytes) touches. */
static __always_inline __u64 spanned(__u64 address, __u64 bytes) {
  return page_ceil(bytes + (address & (page_bytes - 1)));
}

/* Sum of an iovec array in user memory; `by_page`: of the pages that each one touches. */
static __always_inline __u64 sum_of_vectors(__u64 vectors, __u64 count, int by_page) {
  struct user_vector vector;
  __u64 sum = 0;
  __u32 i;

  for (i = 0; i < MAX_VECTORS; i++) {
    if (i >= count) break;
    if (bpf_probe_read_user(&vector, sizeof(vector),
                            (const void *)(vectors + i * sizeof(vector)))) {
      break;
    }
    sum += by_page ? spanned(vector.base, vector.bytes) : vector.bytes;
  }
  return sum;
}

/* MSG_ZEROCOPY is charged two pages more than its bytes (net/core/skbuff.c). */
static __always_inline __u64 send_request(long number, const __u64 *args) {
  struct user_message message;
  __u64 bytes;

  if (number == __NR_sendto) {
    bytes = args[2];
  } else {
    if (bpf_probe_read_user(&message, sizeof(message), (const void *)args[1])) return 0;
    bytes = sum_of_vectors(message.vectors, message.vectors_count, 0);
  }
  return page_floor(bytes) + 2 * page_bytes;
}

static __always_inline __u64 umem_request(const __u64 *args) {
  struct user_vector umem; /* struct xdp_umem_reg starts with addr, len */

  if ((int)args[1] != SOL_XDP || (int)args[2] != XDP_UMEM_REG) return 0;
  if (bpf_probe_read_user(&umem, sizeof(umem), (const void *)args[3])) return 0;
  return page_ceil(umem.bytes);
}

/* Of a new map, without what the kernel adds for itself (kernel/bpf/arraymap.c). */
static __always_inline __u64 bpf_request(const __u64 *args) {
  struct {
    __u32 type, key_bytes, value_bytes, entries;
  } map;

  if ((int)args[0] != 0 || bpf_probe_read_user(&map, sizeof(map), (const void *)args[1])) return 0;
  return page_ceil(((__u64)map.value_bytes + 7) / 8 * 8 * map.entries);
}

static __always_inline __u64 brk_request(const struct task_struct *task, __u64 end) {
  const __u64 old = page_ceil(BPF_CORE_READ(task, mm, brk));

  return page_ceil(end) > old ? page_ceil(end) - old : 0;
}

/* attempt->call and ->args are set. */
static __always_inline void fill_request(const struct task_struct *task, long number,
                                         struct lock_attempt *attempt) {
  const __u64 *args = attempt->args;

  attempt->address = 0;
  attempt->request_bytes = 0;
  switch (attempt->call) {
    case ATTEMPT_MLOCK:
    case ATTEMPT_MLOCK2:
      attempt->address = page_floor(args[0]);
      attempt->request_bytes = spanned(args[0], args[1]);
      break;
    case ATTEMPT_MMAP:
      attempt->address = args[0];
      attempt->request_bytes = page_ceil(args[1]);
      break;
    case ATTEMPT_MREMAP:
      attempt->address = args[0];
      if (args[2] > args[1]) attempt->request_bytes = page_ceil(args[2]) - page_ceil(args[1]);
      break;
    case ATTEMPT_BRK: attempt->request_bytes = brk_request(task, args[0]); break;
    case ATTEMPT_FAULT: attempt->request_bytes = page_bytes; break;
    case ATTEMPT_SEND: attempt->request_bytes = send_request(number, args); break;
    case ATTEMPT_SETSOCKOPT: attempt->request_bytes = umem_request(args); break;
  }
}

/* By one page or more, of `used` pages. */
static __always_inline int is_over(const struct lock_attempt *attempt, __u64 used) {
  const __u64 limit = attempt->task.soft_limit_bytes;

  if (limit == ~0ull) return 0;
  return used * page_bytes + attempt->request_bytes > page_floor(limit);
}

#endif
