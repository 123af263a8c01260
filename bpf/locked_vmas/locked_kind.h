/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a mapping maps, and adding it up. */
#ifndef PAGEWARDEN_BPF_LOCKED_KIND_H
#define PAGEWARDEN_BPF_LOCKED_KIND_H

#include "../kernel_types.h"
#include "locked_vmas.h"

#define VM_LOCKED 0x00002000
#define VM_LOCKONFAULT 0x00080000
#define TMPFS_MAGIC 0x01021994     /* linux/magic.h */
#define SECRETMEM_MAGIC 0x5345434d /* likewise */

/* As /proc/PID/maps names [heap] and [stack]. */
static __always_inline __u32 kind_of_vma(const struct vm_area_struct *vma,
                                         const struct mm_struct *mm) {
  const struct file *file = vma->vm_file;
  unsigned long magic;

  if (!file) {
    if (vma->vm_start < mm->brk && vma->vm_end > mm->start_brk) return LOCKED_HEAP;
    if (vma->vm_start <= mm->start_stack && vma->vm_end >= mm->start_stack) return LOCKED_STACK;
    return LOCKED_ANONYMOUS;
  }
  magic = file->f_inode->i_sb->s_magic;
  if (magic == SECRETMEM_MAGIC) return LOCKED_SECRET;
  return magic == TMPFS_MAGIC ? LOCKED_SHMEM : LOCKED_FILE;
}

static __always_inline void add_vma(const struct vm_area_struct *vma, const struct mm_struct *mm,
                                    struct locked_vmas_record *record) {
  const unsigned long flags = vma->vm_flags;
  const __u64 bytes = vma->vm_end - vma->vm_start;

  if (!(flags & VM_LOCKED)) return;
  record->bytes[kind_of_vma(vma, mm) & (LOCKED_KINDS - 1)] += bytes;
  if (flags & VM_LOCKONFAULT) record->on_fault_bytes += bytes;
}

#endif
