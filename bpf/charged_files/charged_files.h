/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An open file whose memory is charged to a user. One record a descriptor. */
#ifndef PAGEWARDEN_BPF_CHARGED_FILES_H
#define PAGEWARDEN_BPF_CHARGED_FILES_H

enum charged_kind {
  CHARGED_NOTHING = 0, /* never in a record */
  CHARGED_IO_URING = 1,
  CHARGED_PERF = 2,
  CHARGED_XDP = 3,
  CHARGED_SECRET = 4,
  CHARGED_BPF = 5,
};

struct charged_file {
  __u64 object; /* the same in all records of one ring, buffer, …; means nothing else */
  __u64 pages;  /* charged to the user */
  __u32 uid;    /* that user */
  __u32 pid;    /* in the pid namespace of the reader */
  __u32 kind;   /* enum charged_kind */
  __u32 padding;
};

#ifdef __cplusplus
static_assert(sizeof(charged_file) == 32, "wire format");
#else
_Static_assert(sizeof(struct charged_file) == 32, "wire format");
#endif

#endif
