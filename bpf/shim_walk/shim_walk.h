/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A process that has the shim mapped, or may have. */
#ifndef PAGEWARDEN_BPF_SHIM_WALK_H
#define PAGEWARDEN_BPF_SHIM_WALK_H

struct shim_task {
  __u32 pid;    /* in the pid namespace of the reader */
  __u32 unread; /* 1: its mappings could not be walked just now */
};

#endif
