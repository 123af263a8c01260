/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The three books of locked_peaks.bpf.c, and how an amount is entered. */
#ifndef PAGEWARDEN_BPF_LOCKED_PEAKS_BOOKS_H
#define PAGEWARDEN_BPF_LOCKED_PEAKS_BOOKS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "locked_peaks.h"

/* Sizes are set before loading. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 65536);
  __type(key, __u64);
  __type(value, struct mm_book);
} address_spaces SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 65536);
  __type(key, __u32);
  __type(value, struct process_book);
} processes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 16384);
  __type(key, __u64);
  __type(value, struct cgroup_book);
} cgroups SEC(".maps");

/* Amounts that found a book full: from then on the peaks are lower bounds. */
__u64 dropped = 0;

/*
 * How many address spaces of a hash value are in the book. Most processes lock
 * nothing: one load instead of a look-up tells that of them.
 */
#define KNOWN_BITS 13
__u32 known[1 << KNOWN_BITS] = {};

/* A number for a pointer: the verifier grants no other arithmetic on one. */
static __always_inline __u64 key_of(const void* mm) {
  __u64 key = (__u64)mm;

  asm volatile("%0 -= %1" : "+r"(key) : "r"(known));
  return key;
}

static __always_inline __u32 known_slot(__u64 mm) {
  return (mm * 0x9e3779b97f4a7c15ULL) >> (64 - KNOWN_BITS);
}

static __always_inline void drop(void) { __sync_fetch_and_add(&dropped, 1); }

static __always_inline void charge_cgroup(__u64 id, __s64 pages) {
  struct cgroup_book* book = bpf_map_lookup_elem(&cgroups, &id);

  if (!book) {
    struct cgroup_book empty = {};

    bpf_map_update_elem(&cgroups, &id, &empty, BPF_NOEXIST);
    book = bpf_map_lookup_elem(&cgroups, &id);
  }
  if (!book) {
    drop();
    return;
  }
  bpf_spin_lock(&book->lock);
  book->pages += pages;
  if (book->pages > book->peak_pages) book->peak_pages = book->pages;
  bpf_spin_unlock(&book->lock);
}

static __always_inline void raise_process(__u32 tgid, const struct process_book* seen) {
  struct process_book* book = bpf_map_lookup_elem(&processes, &tgid);

  if (!book || book->start_time != seen->start_time) {
    if (bpf_map_update_elem(&processes, &tgid, seen, BPF_ANY)) drop();
    return;
  }
  bpf_spin_lock(&book->lock);
  if (seen->peak_pages > book->peak_pages) book->peak_pages = seen->peak_pages;
  bpf_spin_unlock(&book->lock);
}

static __always_inline struct mm_book* open_mm_book(__u64 mm, __u64 cgroup_id) {
  struct mm_book empty = {.cgroup_id = cgroup_id};

  if (bpf_map_update_elem(&address_spaces, &mm, &empty, BPF_NOEXIST) == 0) {
    __sync_fetch_and_add(&known[known_slot(mm)], 1);
  }
  return bpf_map_lookup_elem(&address_spaces, &mm);
}

static __always_inline void close_mm_book(__u64 mm) {
  if (bpf_map_delete_elem(&address_spaces, &mm) == 0) {
    __sync_fetch_and_add(&known[known_slot(mm)], -1);
  }
}

#endif
