/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pid of a process as the agent's pid namespace shows it, from any context. */
#ifndef PAGEWARDEN_BPF_TASK_PID_H
#define PAGEWARDEN_BPF_TASK_PID_H

#include <bpf/bpf_core_read.h>

#include "reader.h"

#define MAX_PID_NS_LEVEL 32 /* the kernel's */

/* Inode of the agent's /proc/self/ns/pid, set before loading; 0: unknown. */
const volatile __u32 agent_pid_ns = 0;

/*
 * 0: the agent cannot see the process. The tgid is that of the initial namespace,
 * which is the one to give where the agent's is unknown.
 */
static __always_inline __u32 pid_for_agent(const struct task_struct* task) {
  const struct pid* pid = BPF_CORE_READ(task, group_leader, thread_pid);
  const __u32 deepest = BPF_CORE_READ(pid, level);
  __u32 level;

  if (agent_pid_ns == 0) return task->tgid;
  for (level = 0; level <= MAX_PID_NS_LEVEL; level++) {
    const struct upid* upid = upid_at(pid, level);

    if (level > deepest) break;
    if (BPF_CORE_READ(upid, ns, ns.inum) == agent_pid_ns) return BPF_CORE_READ(upid, nr);
  }
  return 0;
}

#endif
