/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How many pages a file charges, and to whom: one function a kind. */
#ifndef PAGEWARDEN_BPF_CHARGED_PAGES_H
#define PAGEWARDEN_BPF_CHARGED_PAGES_H

#include "charged_files.h"
#include "charged_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define AF_XDP 44
#define PAGE_SHIFT 12
#define MAX_BUFFERS (1 << 14) /* of one ring: the kernel's own limit */
#define FEW_BUFFERS 32        /* where the verifier has to follow each turn of the loop */

static __always_inline void charge(struct charged_file *record, __u32 kind, const void *object,
                                   const struct user_struct *user, __u64 pages) {
  if (!user) return; /* made with CAP_IPC_LOCK */
  record->kind = kind;
  record->object = (__u64)object;
  record->uid = BPF_CORE_READ(user, uid.val);
  record->pages = pages;
}

/* Without acct_pages a huge page is charged once a ring: an upper bound where buffers share one. */
static __always_inline __u64 pages_of(const struct io_mapped_ubuf* buffer) {
  if (bpf_core_field_exists(buffer->acct_pages)) return BPF_CORE_READ(buffer, acct_pages);
  if (!bpf_core_field_exists(buffer->folio_shift)) return 0;
  return (__u64)BPF_CORE_READ(buffer, nr_bvecs)
         << ((BPF_CORE_READ(buffer, folio_shift) - PAGE_SHIFT) & 31);
}

struct buffer_sum {
  void *buffers; /* an array of pointers */
  __u32 count;
  __u64 pages;
};

/* One of the array: to a node that has the buffer since 6.13, to the buffer before. */
static long add_buffer(__u32 i, struct buffer_sum *sum) {
  const struct io_ring_ctx *ring = 0;
  void *entry = 0;

  if (i >= sum->count) return 1;
  bpf_probe_read_kernel(&entry, sizeof(entry), sum->buffers + i * sizeof(entry));
  if (!entry) return 0;
  if (bpf_core_field_exists(ring->buf_table.nodes)) {
    sum->pages += pages_of(BPF_CORE_READ((struct io_rsrc_node*)entry, buf));
  } else {
    sum->pages += pages_of((struct io_mapped_ubuf*)entry);
  }
  return 0;
}

static __always_inline void find_buffers(const struct io_ring_ctx *ring, struct buffer_sum *sum) {
  const struct io_ring_ctx___5_12 *old = (const void*)ring;

  if (bpf_core_field_exists(ring->buf_table.nodes)) {
    sum->buffers = BPF_CORE_READ(ring, buf_table.nodes);
    sum->count = BPF_CORE_READ(ring, buf_table.nr);
  } else if (bpf_core_field_exists(old->user_bufs)) {
    sum->buffers = BPF_CORE_READ(old, user_bufs);
    sum->count = BPF_CORE_READ(old, nr_user_bufs);
  }
}

static __always_inline __u64 buffer_pages(const struct io_ring_ctx *ring, int can_loop) {
  struct buffer_sum sum = {};

  find_buffers(ring, &sum);
  if (can_loop) {
    bpf_loop(MAX_BUFFERS, add_buffer, &sum, 0);
  } else {
    for (__u32 i = 0; i < FEW_BUFFERS; ++i) add_buffer(i, &sum);
  }
  return sum.pages;
}

static __always_inline void charge_ring(const struct io_ring_ctx *ring, int can_loop,
                                        struct charged_file *record) {
  __u64 pages = buffer_pages(ring, can_loop);

  if (bpf_core_field_exists(ring->ring_region) && !bpf_core_field_exists(ring->hpage_acct)) {
    pages += BPF_CORE_READ(ring, ring_region.nr_pages) + BPF_CORE_READ(ring, sq_region.nr_pages);
  }
  charge(record, CHARGED_IO_URING, ring, BPF_CORE_READ(ring, user), pages);
}

/* perf_mmap_close in kernel/events/core.c takes back the same */
static __always_inline void charge_perf(const struct perf_event *event,
                                        struct charged_file *record) {
  const struct perf_buffer *buffer = BPF_CORE_READ(event, rb);
  __u64 pages;

  if (!buffer) return;
  pages = BPF_CORE_READ(buffer, nr_pages);
  if (bpf_core_field_exists(buffer->page_order)) pages <<= BPF_CORE_READ(buffer, page_order) & 31;
  pages += 1 - BPF_CORE_READ(buffer, mmap_locked);
  pages += BPF_CORE_READ(buffer, aux_nr_pages) - BPF_CORE_READ(buffer, aux_mmap_locked);
  charge(record, CHARGED_PERF, buffer, BPF_CORE_READ(buffer, mmap_user), pages);
}

static __always_inline void charge_socket(const struct socket *socket,
                                          struct charged_file *record) {
  const struct sock *sk = BPF_CORE_READ(socket, sk);
  const struct xdp_umem *umem;

  if (!bpf_core_type_exists(struct xdp_sock)) return;
  if (BPF_CORE_READ(sk, __sk_common.skc_family) != AF_XDP) return;
  umem = BPF_CORE_READ((const struct xdp_sock*)sk, umem);
  if (umem) {
    charge(record, CHARGED_XDP, umem, BPF_CORE_READ(umem, user), BPF_CORE_READ(umem, npgs));
  }
}

static __always_inline void charge_map(const struct bpf_map *map, struct charged_file *record) {
  if (!bpf_core_field_exists(map->memory.user)) return;
  charge(record, CHARGED_BPF, map, BPF_CORE_READ(map, memory.user),
         BPF_CORE_READ(map, memory.pages));
}

static __always_inline void charge_prog(const struct bpf_prog *prog, struct charged_file *record) {
  const struct bpf_map *map = 0;

  if (!bpf_core_field_exists(map->memory.user)) return; /* they went to memcg together */
  charge(record, CHARGED_BPF, prog, BPF_CORE_READ(prog, aux, user), BPF_CORE_READ(prog, pages));
}

#endif
