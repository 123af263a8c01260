/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What hangs off the private_data of files that charge a user, reduced likewise. */
#ifndef PAGEWARDEN_BPF_CHARGED_TYPES_H
#define PAGEWARDEN_BPF_CHARGED_TYPES_H

#include "../kernel_types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct io_mapped_ubuf {
  unsigned long acct_pages; /* not in 7.2 any more */
  unsigned int nr_bvecs;
  unsigned int folio_shift;
};

struct xarray {
  int unused;
};

struct io_rsrc_node {
  struct io_mapped_ubuf *buf;
};

struct io_rsrc_data {
  unsigned int nr;
  struct io_rsrc_node **nodes;
};

struct io_mapped_region {
  unsigned int nr_pages;
};

struct io_ring_ctx {
  struct user_struct *user;
  struct io_rsrc_data buf_table;       /* since 6.13 */
  struct io_mapped_region sq_region;   /* since 6.14, which charges it */
  struct io_mapped_region ring_region; /* likewise */
  struct xarray hpage_acct;            /* with it neither region is charged any more */
};

struct io_ring_ctx___5_12 {
  unsigned int nr_user_bufs;
  struct io_mapped_ubuf **user_bufs;
};

struct perf_buffer {
  int page_order; /* with CONFIG_PERF_USE_VMALLOC */
  int nr_pages;
  unsigned long mmap_locked; /* pages charged to mm->pinned_vm instead */
  struct user_struct *mmap_user;
  int aux_nr_pages;
  unsigned long aux_mmap_locked;
};

struct perf_event {
  struct perf_buffer *rb;
};

struct sock_common {
  unsigned short skc_family;
};

struct sock {
  struct sock_common __sk_common;
};

struct socket {
  struct sock *sk;
};

struct xdp_umem {
  __u32 npgs;
  struct user_struct *user; /* NULL: made with CAP_IPC_LOCK, nothing is charged */
};

struct xdp_sock {
  struct xdp_umem *umem;
};

struct bpf_map {
  struct bpf_map_memory memory;
};

struct bpf_prog_aux {
  struct user_struct *user;
};

struct bpf_prog {
  __u16 pages;
  struct bpf_prog_aux *aux;
};

struct secretmem_inode_state { /* where memfd_secret is charged to the user */
  int unused;
};

#pragma clang attribute pop

#endif
