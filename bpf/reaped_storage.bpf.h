/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Storage traffic is all that the kernel adds to a process from the children it has waited for, and
 * nowhere apart. As each process is accounted by itself, a parent's must be without theirs.
 *
 * It is taken off from the child's end on, before the parent has it: so a parent is behind while it
 * lets a child be a zombie, and never ahead. One that ends before it has waited leaves to the group
 * of whoever does what it lacks itself: the sum is right. */
#ifndef BPF_REAPED_STORAGE_BPF_H
#define BPF_REAPED_STORAGE_BPF_H

#include "kernel_types.bpf.h"
#include "process_records.h"

/* A process, whatever comes to use its pid or its memory after it. */
struct ProcessKey {
  __u64 start_boottime_ns;
  __u32 pid;
  __u32 reserved;
};

static __always_inline struct ProcessKey key_of(const struct task_struct* leader) {
  const struct ProcessKey key = {leader->start_boottime, leader->tgid, 0};
  return key;
}

struct StorageBytes {
  __u64 read;
  __u64 write;
};

/* Of the children of a process since the programs are there, until it is told. When it is full, one
 * more parent has its children's traffic, too. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8192);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct ProcessKey);
  __type(value, struct StorageBytes);
} reaped_storage SEC(".maps");

/* do_notify_parent() of the kernel: then nobody waits, and the parent gets nothing. */
static __always_inline int is_reaped_by_itself(const struct task_struct* leader) {
  const struct sigaction* action = &leader->real_parent->sighand->action[SIGNAL_CHILD - 1].sa;
  const __u64 handler = (__u64)action->sa_handler;
  return leader->exit_signal == SIGNAL_CHILD &&
         (handler == SIGNAL_IS_IGNORED || action->sa_flags & NO_CHILD_WAITS);
}

/* What moved after the end of the last thread, such as at the closing of its files. */
static __always_inline void add_rest(const struct ProcessKey* parent, struct StorageBytes added,
                                     const struct signal_struct* signal) {
  struct StorageBytes* sum = bpf_map_lookup_elem(&reaped_storage, parent);
  if (!sum || !bpf_core_field_exists(signal->ioac.read_bytes)) return;
  __sync_fetch_and_add(&sum->read, signal->ioac.read_bytes - added.read);
  __sync_fetch_and_add(&sum->write, signal->ioac.write_bytes - added.write);
}

static __always_inline void add_reaped(const struct ProcessKey* parent, struct StorageBytes bytes) {
  struct StorageBytes* sum = bpf_map_lookup_elem(&reaped_storage, parent);
  if (!sum) {
    const struct StorageBytes none = {};
    bpf_map_update_elem(&reaped_storage, parent, &none, BPF_NOEXIST); /* Or another did. */
    sum = bpf_map_lookup_elem(&reaped_storage, parent);
    if (!sum) return;
  }
  __sync_fetch_and_add(&sum->read, bytes.read);
  __sync_fetch_and_add(&sum->write, bytes.write);
}

/* Of the sums of a process, which hold all of its signal struct's, and the children's in that. */
static __always_inline void take_off_reaped(const struct task_struct* leader,
                                            struct ProcessCounters* counters) {
  if (!bpf_core_field_exists(leader->signal->ioac.read_bytes)) return;
  const __u64 most_read = leader->signal->ioac.read_bytes;
  const __u64 most_written = leader->signal->ioac.write_bytes;
  if (!(most_read | most_written)) return; /* Most have none, and need no search. */
  const struct ProcessKey key = key_of(leader);
  const struct StorageBytes* sum = bpf_map_lookup_elem(&reaped_storage, &key);
  if (!sum) return;
  counters->read_bytes -= sum->read < most_read ? sum->read : most_read;
  counters->write_bytes -= sum->write < most_written ? sum->write : most_written;
}

#endif
