/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The values of the maps that locked_peaks.bpf.c keeps. Fixed width, native byte
 * order. The includer brings the __u types and struct bpf_spin_lock (linux/bpf.h).
 */
#ifndef PAGEWARDEN_BPF_LOCKED_PEAKS_H
#define PAGEWARDEN_BPF_LOCKED_PEAKS_H

/* Of an address space; key: a number for its mm_struct. */
struct mm_book {
  struct bpf_spin_lock lock;
  __u32 reserved;
  __u64 cgroup_id; /* that `pages` is charged to */
  __u64 pages;     /* mm->locked_vm when it was last seen */
  __u64 peak_pages;
};

/* Of a process; key: its tgid in the initial pid namespace. */
struct process_book {
  struct bpf_spin_lock lock;
  __u32 pid;        /* in the agent's pid namespace; 0: not visible there */
  __u64 start_time; /* task->start_boottime of its leader, tells reused pids apart */
  __u64 peak_pages;
};

/* Of a cgroup, its own processes; key: inode of its directory. */
struct cgroup_book {
  struct bpf_spin_lock lock;
  __u32 reserved;
  __s64 pages; /* now; below 0 only while a move is half done */
  __s64 peak_pages;
};

#ifdef __cplusplus
static_assert(sizeof(mm_book) == 32 && sizeof(process_book) == 24 && sizeof(cgroup_book) == 24,
              "wire format");
#else
_Static_assert(sizeof(struct mm_book) == 32 && sizeof(struct process_book) == 24 &&
                   sizeof(struct cgroup_book) == 24,
               "wire format");
#endif

#endif
