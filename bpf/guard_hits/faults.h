/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What guard_hits.bpf.c reads of a fault, of the instruction, and of a ledger. */
#ifndef PAGEWARDEN_BPF_GUARD_HITS_FAULTS_H
#define PAGEWARDEN_BPF_GUARD_HITS_FAULTS_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "../iterators.h"
#include "guard_hits.h"

#define SIGSEGV 11
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define VM_WRITE 0x2
#define VM_SHARED 0x8
#define PAGE_SHIFT 12
#define SHIM_NAME_BYTES 16

/* Of these an architecture has one. */
struct pt_regs___instruction {
  unsigned long ip; /* x86 */
  unsigned long pc; /* arm64 */
} __attribute__((preserve_access_index));

/* How a ledger begins (preload/abi/ledger.h). */
struct ledger_head {
  __u64 magic;
  __u32 version;
  __u32 bytes;
  __u64 self;
  __u32 pid;
  __u32 state;
  __u32 uncovered;
  __u32 mode;
  char policy[64];
  __u64 fence_base;
  __u64 fence_bytes;
};

/* Address of a fault, 0 where the signal was sent by somebody. */
static __always_inline __u64 fault_address(int signal, const struct kernel_siginfo* info) {
  int code;

  if (signal != SIGSEGV || (__u64)info <= 2) return 0; /* SEND_SIG_NOINFO, SEND_SIG_PRIV */
  code = BPF_CORE_READ(info, si_code);
  if (code != SEGV_MAPERR && code != SEGV_ACCERR) return 0;
  return (__u64)BPF_CORE_READ(info, _sifields._sigfault._addr);
}

static __always_inline __u64 instruction_of(const struct pt_regs___instruction* regs) {
  if (bpf_core_field_exists(regs->ip)) return regs->ip;
  return bpf_core_field_exists(regs->pc) ? regs->pc : 0;
}

static __always_inline const struct dentry* file_entry(const struct vm_area_struct* vma) {
  const struct file* file = vma->vm_file;

  return file ? file->f_path.dentry : NULL;
}

static __always_inline bool is_shim_data(const struct vm_area_struct* vma) {
  const char wanted[SHIM_NAME_BYTES] = "libpagewarden.so"; /* no room for the NUL, nor need */
  const struct dentry* entry = file_entry(vma);
  __u64 name[2];

  if (!entry || (vma->vm_flags & (VM_WRITE | VM_SHARED)) != VM_WRITE) return false;
  if (entry->d_name.len != SHIM_NAME_BYTES) return false;
  bpf_probe_read_kernel(name, sizeof(name), entry->d_name.name);
  return name[0] == ((const __u64*)wanted)[0] && name[1] == ((const __u64*)wanted)[1];
}

/* Whether the instruction is in the mapping; names it then, if it is of a file. */
static __always_inline bool name_module(const struct vm_area_struct* vma,
                                        struct module_place* place) {
  const struct dentry* entry = file_entry(vma);

  if (place->instruction < vma->vm_start || place->instruction >= vma->vm_end) return false;
  if (!entry) return true;
  bpf_probe_read_kernel_str(place->name, sizeof(place->name), entry->d_name.name);
  place->offset = place->instruction - vma->vm_start + ((__u64)vma->vm_pgoff << PAGE_SHIFT);
  return true;
}

/* Whether a ledger at `address` says that the fault lies in its fence. */
static __always_inline bool is_in_fence(__u64 address, __u64 fault) {
  struct ledger_head head;

  if (bpf_probe_read_user(&head, sizeof(head), (const void*)address)) return false;
  if (head.magic != *(const __u64*)"PWLEDGER" || head.self != address) return false;
  return fault - head.fence_base < head.fence_bytes;
}

#endif
