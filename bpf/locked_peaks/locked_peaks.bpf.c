// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How much memory had each process, and each cgroup, locked at most?
 *
 * mm->locked_vm changes under mmap_lock only, and the tracepoint mmap_lock_released
 * fires before the lock is given back (include/linux/mmap_lock.h): every value that
 * another task could see is seen here, in order, and no system call is slowed.
 * Releases by readers count too: munmap and mremap downgrade the lock before that.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include "../kernel_types.h"
#include "../task_cgroup.h"
#include "../task_pid.h"
#include "books.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* No event for each change: what is read now and then, and at the end, must do. */
const volatile bool sampled = false;

/*
 * Whose memory it is: another process may hold the lock (process_madvise, vfio).
 * NULL: the last of its tasks has left it.
 */
static __always_inline const struct task_struct* owner_of(const struct mm_struct* mm) {
  if (!bpf_core_field_exists(mm->owner)) return (const void*)bpf_get_current_task_btf();
  return mm->owner;
}

static __always_inline void raise_owner(const struct task_struct* owner, __u64 pages) {
  const struct process_book seen = {.pid = pid_for_agent(owner),
                                    .start_time = owner->group_leader->start_boottime,
                                    .peak_pages = pages};

  raise_process(owner->tgid, &seen);
}

/* Enters mm->locked_vm as it is now, or 0, charged to the owner's cgroup. */
static __always_inline void enter(const struct mm_struct* mm, struct mm_book* book,
                                  const struct task_struct* owner, bool ends) {
  __u64 cgroup_id = book->cgroup_id;
  __u64 before, now, charged_to;
  bool is_peak;

  barrier_var(cgroup_id); /* one load of either kind of memory: refused by the verifier */
  if (owner) cgroup_id = task_cgroup_id(owner);

  bpf_spin_lock(&book->lock);
  before = book->pages;
  charged_to = book->cgroup_id;
  now = ends ? 0 : mm->locked_vm;
  book->pages = now;
  is_peak = now > book->peak_pages;
  if (is_peak) book->peak_pages = now;
  book->cgroup_id = cgroup_id;
  bpf_spin_unlock(&book->lock);

  if (charged_to != cgroup_id) {
    charge_cgroup(charged_to, -(__s64)before);
    charge_cgroup(cgroup_id, now);
  } else if (now != before) {
    charge_cgroup(cgroup_id, now - before);
  }
  if (owner && is_peak) raise_owner(owner, now);
}

static __always_inline void account(const struct mm_struct* mm, bool may_have_moved) {
  const __u64 key = key_of(mm);
  const bool ends = mm->mm_users.counter == 0;
  const __u64 pages = mm->locked_vm;
  const struct task_struct* owner;
  struct mm_book* book;

  if (pages == 0 && known[known_slot(key)] == 0) return;
  book = bpf_map_lookup_elem(&address_spaces, &key);
  if (book ? book->pages == pages && !may_have_moved && !ends : pages == 0 || ends) return;
  owner = owner_of(mm);
  if (!book && owner) book = open_mm_book(key, task_cgroup_id(owner));
  if (!book) {
    drop();
    return;
  }
  if (ends && sampled) enter(mm, book, owner, false);
  enter(mm, book, owner, ends);
  if (ends) close_mm_book(key);
}

SEC("tp_btf/mmap_lock_released")
int on_mmap_lock_released(__u64* ctx) {
  account((const struct mm_struct*)ctx[0], false);
  return 0;
}

/* mm_users is 0 by now. Kernels that take no mmap_lock here need it. */
SEC("tp_btf/exit_mmap")
int on_exit_mmap(__u64* ctx) {
  account((const struct mm_struct*)ctx[0], false);
  return 0;
}

SEC("fentry/exit_mmap")
int enter_exit_mmap(__u64* ctx) {
  account((const struct mm_struct*)ctx[0], false);
  return 0;
}

SEC("tp_btf/cgroup_attach_task")
int on_cgroup_attach_task(__u64* ctx) {
  const struct cgroup* to = (const struct cgroup*)ctx[0];
  const struct task_struct* task = (const struct task_struct*)ctx[2];
  const struct mm_struct* mm = task->mm;

  if (mm && is_in_hierarchy(to)) account(mm, true);
  return 0;
}

SEC("tp_btf/cgroup_rmdir")
int on_cgroup_rmdir(__u64* ctx) {
  const struct cgroup* cgroup = (const struct cgroup*)ctx[0];
  const __u64 id = cgroup->kn->id;

  if (is_in_hierarchy(cgroup)) bpf_map_delete_elem(&cgroups, &id);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int on_sched_process_exit(__u64* ctx) {
  const struct task_struct* task = (const struct task_struct*)ctx[0];
  const __u32 tgid = task->tgid;

  if (task->signal->live.counter == 0) bpf_map_delete_elem(&processes, &tgid);
  return 0;
}

/* Those that had memory locked before; and, where no event tells, each sample. */
SEC("iter/task")
int sample(struct bpf_iter__task* ctx) {
  const struct task_struct* task = ctx->task;
  const struct mm_struct* mm;

  if (!task || task->pid != task->tgid) return 0;
  mm = task->mm;
  if (!mm) return 0;
  account(mm, true);
  if (mm->mm_users.counter == 0) account(mm, true); /* it ended meanwhile */
  return 0;
}
