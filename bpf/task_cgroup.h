/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The cgroup of a task in the one hierarchy that the agent groups by. To be
 * included after kernel_types.h.
 */
#ifndef PAGEWARDEN_BPF_TASK_CGROUP_H
#define PAGEWARDEN_BPF_TASK_CGROUP_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "task_record.h"

/* enum cgroup_hierarchy, set before loading. */
const volatile __u32 hierarchy = CGROUP_HIERARCHY_NONE;

/* Inode of its directory; 0 where there is no hierarchy. */
static __always_inline __u64 task_cgroup_id(const struct task_struct* task) {
  const struct css_set* set = task->cgroups;
  struct cgroup_subsys_state* const* css;

  if (hierarchy == CGROUP_HIERARCHY_V2) return set->dfl_cgrp->kn->id;
  if (hierarchy == CGROUP_HIERARCHY_V1_MEMORY &&
      bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
    css = __builtin_preserve_access_index(&set->subsys[0]);
    return css[bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id)]->cgroup->kn->id;
  }
  return 0;
}

/* Ids are unique within a hierarchy only. */
static __always_inline bool is_in_hierarchy(const struct cgroup* cgroup) {
  if (hierarchy == CGROUP_HIERARCHY_V2) return cgroup->root->hierarchy_id == 0;
  if (hierarchy == CGROUP_HIERARCHY_V1_MEMORY &&
      bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
    return cgroup->root->subsys_mask >> bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id) &
               1 &&
           cgroup->root->hierarchy_id != 0;
  }
  return false;
}

#endif
