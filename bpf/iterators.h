/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The open-coded iterators (kernel 6.7, kernel/bpf/task_iter.c). Weak: a kernel
 * without them refuses the program, and the agent takes the next best.
 */
#ifndef PAGEWARDEN_BPF_ITERATORS_H
#define PAGEWARDEN_BPF_ITERATORS_H

#include "kernel_types.h"

#include <bpf/bpf_helpers.h>

#define BPF_TASK_ITER_ALL_PROCS 0

struct bpf_iter_task {
  __u64 opaque[3];
} __attribute__((aligned(8)));

struct bpf_iter_task_vma {
  __u64 opaque[1];
} __attribute__((aligned(8)));

extern void bpf_rcu_read_lock(void) __weak __ksym;
extern void bpf_rcu_read_unlock(void) __weak __ksym;

extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task,
                             unsigned int flags) __weak __ksym;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __weak __ksym;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __weak __ksym;

extern int bpf_iter_task_vma_new(struct bpf_iter_task_vma *it, struct task_struct *task,
                                 __u64 address) __weak __ksym;
extern struct vm_area_struct *bpf_iter_task_vma_next(struct bpf_iter_task_vma *it) __weak __ksym;
extern void bpf_iter_task_vma_destroy(struct bpf_iter_task_vma *it) __weak __ksym;

#endif
