/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pids as the process that reads them knows them. */
#ifndef PAGEWARDEN_BPF_READER_H
#define PAGEWARDEN_BPF_READER_H

#include "kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* The pid namespace of the reader. Level 0 is the initial one, which sees all. */
struct reader {
  const void *pid_namespace;
  __u32 level;
};

static __always_inline const struct upid *upid_at(const struct pid *pid, __u32 level) {
  return (const void *)__builtin_preserve_access_index(&pid->numbers[0]) +
         level * bpf_core_type_size(struct upid);
}

static __always_inline struct reader current_reader(void) {
  const struct task_struct *current = (const void *)bpf_get_current_task();
  const struct pid *pid = BPF_CORE_READ(current, thread_pid);
  const __u32 level = BPF_CORE_READ(pid, level);
  const struct upid *upid = upid_at(pid, level);

  return (struct reader){.pid_namespace = BPF_CORE_READ(upid, ns), .level = level};
}

/* tgid is the pid in the initial namespace; /proc shows the reader's. 0: not visible there. */
static __always_inline __u32 pid_for_reader(const struct task_struct *task,
                                            const struct reader *reader) {
  const struct pid *pid;
  const struct upid *upid;

  if (reader->level == 0) return task->tgid;
  /* not a plain load: before 6.3 no variable offset may be added to what the verifier knows */
  pid = BPF_CORE_READ(task, thread_pid);
  if (BPF_CORE_READ(pid, level) < reader->level) return 0;
  upid = upid_at(pid, reader->level);
  return BPF_CORE_READ(upid, ns) == reader->pid_namespace ? BPF_CORE_READ(upid, nr) : 0;
}

#endif
