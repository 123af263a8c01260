/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What lies in the range of a call that has just failed: bpf_find_vma and
 * bpf_loop (5.17), mapping by mapping. Not from within the call, which holds the lock of the
 * address space.
 */
#ifndef PAGEWARDEN_BPF_ATTEMPT_RANGE_H
#define PAGEWARDEN_BPF_ATTEMPT_RANGE_H

#include <asm/errno.h>
#include <linux/bpf.h>

#include "attempt_request.h"
#include "kernel_types.h"
#include "lock_attempt.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define RANGE_MAPPINGS 1024 /* walked at most */
#define VM_ACCESS 0x7       /* read, write, execute */
#define VM_PFNMAP 0x00000400
#define VM_LOCKED 0x00002000
#define VM_IO 0x00004000
#define VM_HUGETLB 0x00400000

/* True: a page of the mapping below `end` is past the end of its file. */
static __always_inline int is_past_file(const struct vm_area_struct *vma, __u64 end) {
  const struct file *file = vma->vm_file;
  __u64 last;

  if (!file) return 0;
  last = (end - vma->vm_start) / page_bytes + vma->vm_pgoff;
  return last * page_bytes > page_ceil(file->f_inode->i_size);
}

#ifdef PAGEWARDEN_NO_CALLBACKS
static __always_inline void fill_range(struct lock_attempt *attempt) {}
#else

struct range_walk {
  __u64 at, end;
  __u64 overlap, hugetlb;
  __u32 unpopulatable;
  int error;
};

static long add_mapping(struct task_struct *task, struct vm_area_struct *vma, void *context) {
  struct range_walk *walk = context;
  const __u64 flags = vma->vm_flags;
  const __u64 end = vma->vm_end < walk->end ? vma->vm_end : walk->end;
  const __u64 bytes = end - walk->at;

  if (flags & VM_LOCKED) walk->overlap += bytes;
  if (flags & VM_HUGETLB) {
    walk->hugetlb += bytes;
  } else if (!(flags & VM_ACCESS) || flags & (VM_IO | VM_PFNMAP) || is_past_file(vma, end)) {
    walk->unpopulatable = 1;
  }
  walk->at = end;
  return 0;
}

/* 1: the end of the walk. */
static long next_mapping(__u32 index, void *context) {
  struct range_walk *walk = context;

  if (walk->at >= walk->end) return 1;
  walk->error = bpf_find_vma(bpf_get_current_task_btf(), walk->at, add_mapping, walk, 0);
  return walk->error != 0;
}

/*
 * A walk that finds the address space locked by another thread leaves no facts. Guard
 * markers are in the page tables, which nothing here can see.
 */
static __always_inline void fill_range(struct lock_attempt *attempt) {
  struct range_walk walk = {.at = attempt->address,
                            .end = attempt->address + attempt->request_bytes};

  if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma)) return;
  bpf_loop(RANGE_MAPPINGS, next_mapping, &walk, 0);
  if (walk.error == -EBUSY) return;
  attempt->flags |= ATTEMPT_HAS_RANGE;
  attempt->overlap_bytes = walk.overlap;
  attempt->hugetlb_bytes = walk.hugetlb;
  if (walk.error == -ENOENT) attempt->flags |= ATTEMPT_HOLE;
  if (walk.unpopulatable) attempt->flags |= ATTEMPT_UNPOPULATABLE;
}

#endif /* PAGEWARDEN_NO_CALLBACKS */

#endif
