// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which open files charge locked memory to a user, and how much? VmLck of no
 * process shows it: only user_struct->locked_vm counts it.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../reader.h"
#include "charged_pages.h"

#define ANON_INODE_FS_MAGIC 0x09041934 /* linux/magic.h */
#define SOCKFS_MAGIC 0x534F434B        /* likewise */
#define SECRETMEM_MAGIC 0x5345434d     /* likewise */

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The first eight bytes of a name, as a word; nobody but the kernel names these files. */
#define NAME8(a, b, c, d, e, f, g, h)                                                      \
  ((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 | \
   (__u64)(f) << 40 | (__u64)(g) << 48 | (__u64)(h) << 56)

static __always_inline void charge_anonymous(const struct file *file, int can_loop,
                                             struct charged_file *record) {
  __u64 name = 0;

  bpf_probe_read_kernel(&name, sizeof(name), file->f_path.dentry->d_name.name);
  if (name == NAME8('[', 'i', 'o', '_', 'u', 'r', 'i', 'n'))
    charge_ring(file->private_data, can_loop, record);
  if (name == NAME8('[', 'p', 'e', 'r', 'f', '_', 'e', 'v'))
    charge_perf(file->private_data, record);
  if (name == NAME8('b', 'p', 'f', '-', 'm', 'a', 'p', 0)) charge_map(file->private_data, record);
  if (name == NAME8('b', 'p', 'f', '-', 'p', 'r', 'o', 'g'))
    charge_prog(file->private_data, record);
}

/* The pages that were touched; the kernel charges whoever made the file. */
static __always_inline void charge_secret(const struct inode *inode, struct charged_file *record) {
  if (!bpf_core_type_exists(struct secretmem_inode_state)) return;
  record->kind = CHARGED_SECRET;
  record->object = (__u64)inode;
  record->uid = inode->i_uid.val;
  record->pages = inode->i_mapping->nrpages;
}

static __always_inline int report(const struct bpf_iter__task_file *ctx, int can_loop) {
  const struct task_struct *task = ctx->task;
  const struct file *file = ctx->file;
  struct charged_file record = {};
  unsigned long magic;
  struct reader reader;

  if (!task || !file) return 0;
  magic = file->f_inode->i_sb->s_magic;
  if (magic == ANON_INODE_FS_MAGIC) charge_anonymous(file, can_loop, &record);
  if (magic == SOCKFS_MAGIC) charge_socket(file->private_data, &record);
  if (magic == SECRETMEM_MAGIC) charge_secret(file->f_inode, &record);
  if (record.kind == CHARGED_NOTHING || record.pages == 0) return 0;
  reader = current_reader();
  record.pid = pid_for_reader(task->group_leader, &reader);
  if (record.pid) bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
  return 0;
}

SEC("iter/task_file")
int charged_file(struct bpf_iter__task_file *ctx) { return report(ctx, 1); }

/* for kernels before 5.17, which have no bpf_loop */
SEC("iter/task_file")
int charged_file_few(struct bpf_iter__task_file *ctx) { return report(ctx, 0); }
