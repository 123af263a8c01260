/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The record of guard_hits.bpf.c. Fixed width, native byte order, no padding. The
 * includer brings the __u types (linux/types.h).
 */
#ifndef PAGEWARDEN_BPF_GUARD_HITS_H
#define PAGEWARDEN_BPF_GUARD_HITS_H

#define GUARD_LEDGER_BYTES 976 /* sizeof(abi::Ledger) */
#define GUARD_MODULE_BYTES 48
#define GUARD_COMM_BYTES 16

struct module_place {
  __u64 instruction;
  __u64 offset;                  /* of the instruction in the file */
  char name[GUARD_MODULE_BYTES]; /* of the file, NUL-terminated; empty: none, or not found */
};

/* A fault in the fence that a ledger claims. The ledger is as the process wrote it. */
struct guard_record {
  __u64 time_ns; /* CLOCK_MONOTONIC */
  __u64 address; /* that was touched */
  struct module_place place;
  __u64 ledger_address;
  __u64 cgroup_id;
  __u32 pid;  /* in the agent's pid namespace */
  __u32 uid;  /* effective, as the initial user namespace sees it */
  __u32 mappings; /* of the process that were looked at */
  __u32 reserved;
  char comm[GUARD_COMM_BYTES];     /* NUL-terminated */
  char ledger[GUARD_LEDGER_BYTES];
};

#ifdef __cplusplus
static_assert(sizeof(guard_record) == 64 + 64 + GUARD_LEDGER_BYTES, "wire format");
#else
_Static_assert(sizeof(struct guard_record) == 64 + 64 + GUARD_LEDGER_BYTES, "wire format");
#endif

#endif
