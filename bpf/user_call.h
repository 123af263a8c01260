/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which system call the current task is in, and with which arguments. */
#ifndef PAGEWARDEN_BPF_USER_CALL_H
#define PAGEWARDEN_BPF_USER_CALL_H

#include <asm/unistd.h>
#include <linux/bpf.h>

#include "kernel_types.h"
#include "lock_attempt.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define KERNEL_STACK_BYTES 16384 /* x86-64 and arm64 without KASAN */
#define TS_COMPAT 2
#define TIF_32BIT 22

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#if defined(__TARGET_ARCH_arm64)
struct pt_regs___user {
  __u64 regs[31];
  __u64 orig_x0;
  __s32 syscallno;
};
#else
struct pt_regs___user {
  unsigned long r10, r9, r8, dx, si, di, orig_ax;
};
#endif
#pragma clang attribute pop

/* The registers that it entered the kernel with; nothing of it is changed until it leaves. */
static __always_inline const struct pt_regs___user *user_registers(struct task_struct *task) {
  if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) {
    return (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());
  }
  return BPF_CORE_READ(task, stack) + KERNEL_STACK_BYTES -
         bpf_core_type_size(struct pt_regs___user);
}

#if defined(__TARGET_ARCH_arm64)
static __always_inline int is_32_bit(const struct task_struct *task) {
  return BPF_CORE_READ(task, thread_info.flags) >> TIF_32BIT & 1;
}

static __always_inline long read_user_call(const struct pt_regs___user *regs, __u64 *args) {
  args[0] = BPF_CORE_READ(regs, orig_x0);
  bpf_core_read(&args[1], 5 * sizeof(__u64), &regs->regs[1]);
  return BPF_CORE_READ(regs, syscallno);
}
#else
static __always_inline int is_32_bit(const struct task_struct *task) {
  if (!bpf_core_field_exists(task->thread_info.status)) return 0;
  return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
}

static __always_inline long read_user_call(const struct pt_regs___user *regs, __u64 *args) {
  args[0] = BPF_CORE_READ(regs, di);
  args[1] = BPF_CORE_READ(regs, si);
  args[2] = BPF_CORE_READ(regs, dx);
  args[3] = BPF_CORE_READ(regs, r10);
  args[4] = BPF_CORE_READ(regs, r8);
  args[5] = BPF_CORE_READ(regs, r9);
  return BPF_CORE_READ(regs, orig_ax);
}
#endif

static __always_inline __u32 call_of_number(long number) {
  switch (number) {
    case __NR_mlock: return ATTEMPT_MLOCK;
    case __NR_mlock2: return ATTEMPT_MLOCK2;
    case __NR_mlockall: return ATTEMPT_MLOCKALL;
    case __NR_mmap: return ATTEMPT_MMAP;
    case __NR_brk: return ATTEMPT_BRK;
    case __NR_mremap: return ATTEMPT_MREMAP;
    case __NR_shmctl: return ATTEMPT_SHMCTL;
    case __NR_shmget: return ATTEMPT_SHMGET;
    case __NR_io_uring_setup: return ATTEMPT_RING_SETUP;
    case __NR_io_uring_register: return ATTEMPT_RING_REGISTER;
    case __NR_setsockopt: return ATTEMPT_SETSOCKOPT;
    case __NR_sendto:
    case __NR_sendmsg:
    case __NR_sendmmsg: return ATTEMPT_SEND;
    case __NR_bpf: return ATTEMPT_BPF;
    case -1: return ATTEMPT_FAULT;
    default: return ATTEMPT_BY_STACK;
  }
}

#endif
