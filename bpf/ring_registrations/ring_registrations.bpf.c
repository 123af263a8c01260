// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which io_uring buffers were refused? Their check asks for no capability: it was
 * decided when the ring was made (io_uring/rsrc.c).
 */
#include <asm/errno.h>
#include <linux/types.h>

#include "../attempt_maps.h"

#define REGISTER_BUFFERS 0
#define REGISTER_BUFFERS2 15
#define REGISTER_BUFFERS_UPDATE 16

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* struct io_uring_rsrc_register and io_uring_rsrc_update2, up to what is read. */
struct buffers2 {
  __u32 count, flags;
  __u64 reserved, vectors;
};
struct buffers_update {
  __u32 offset, reserved;
  __u64 vectors, tags;
  __u32 count;
};

static __always_inline __u64 registration_bytes(const __u64 *args) {
  struct buffers2 buffers;
  struct buffers_update update;

  switch ((__u32)args[1]) {
    case REGISTER_BUFFERS: return sum_of_vectors(args[2], args[3], 1);
    case REGISTER_BUFFERS2:
      if (bpf_probe_read_user(&buffers, sizeof(buffers), (const void *)args[2])) return 0;
      return sum_of_vectors(buffers.vectors, buffers.count, 1);
    case REGISTER_BUFFERS_UPDATE:
      if (bpf_probe_read_user(&update, sizeof(update), (const void *)args[2])) return 0;
      return sum_of_vectors(update.vectors, update.count, 1);
    default: return 0;
  }
}

static __always_inline int on_registration(__u32 opcode, long result) {
  struct lock_attempt *attempt;

  if (result != -ENOMEM || (opcode != REGISTER_BUFFERS && opcode != REGISTER_BUFFERS2 &&
                            opcode != REGISTER_BUFFERS_UPDATE)) {
    return 0;
  }
  attempt = take_desk();
  if (!attempt || !start_attempt(attempt) || attempt->call != ATTEMPT_RING_REGISTER) return 0;
  attempt->request_bytes = registration_bytes(attempt->args);
  attempt->flags = ATTEMPT_HAS_RESULT | ATTEMPT_BOOKS_BEFORE;
  attempt->result = result;
  __builtin_memset(attempt->stack, 0, sizeof(attempt->stack));
  tell(attempt);
  return 0;
}

/* context, opcode, files, buffers, result */
SEC("tp_btf/io_uring_register")
int on_register(__u64 *ctx) { return on_registration((__u32)ctx[1], (long)ctx[4]); }

/* With an eventfd before the result: up to 5.19. */
SEC("tp_btf/io_uring_register")
int on_register_eventfd(__u64 *ctx) { return on_registration((__u32)ctx[1], (long)ctx[5]); }
