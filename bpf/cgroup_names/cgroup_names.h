/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The record of cgroup_names.bpf.c. Fixed width, native byte order, no padding. The
 * includer brings the __u types (linux/types.h).
 */
#ifndef PAGEWARDEN_BPF_CGROUP_NAMES_H
#define PAGEWARDEN_BPF_CGROUP_NAMES_H

#define CGROUP_NAME_BYTES 256 /* NAME_MAX + 1 */

enum cgroup_change {
  CGROUP_MADE = 1,
  CGROUP_REMOVED = 2,
  CGROUP_RENAMED = 3, /* v1: those below it have new paths too */
};

struct cgroup_record {
  __u64 id;     /* inode of its directory */
  __u64 parent; /* that of the directory above */
  __u32 change; /* enum cgroup_change */
  __u32 reserved;
  char name[CGROUP_NAME_BYTES]; /* last component, NUL-terminated */
};

#ifdef __cplusplus
static_assert(sizeof(cgroup_record) == 24 + CGROUP_NAME_BYTES, "wire format");
#else
_Static_assert(sizeof(struct cgroup_record) == 24 + CGROUP_NAME_BYTES, "wire format");
#endif

#endif
