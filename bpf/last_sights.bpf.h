/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was last seen of each process whose threads have all ended, until it is freed.
 *
 * A process is freed by an interrupt, in whatever context. Where a security module keeps BPF
 * programs out of the context of a process, nothing tells of some that are freed there: of these
 * the last sight is told instead, which lacks the CPU time since the kernel last took stock. */
#ifndef BPF_LAST_SIGHTS_BPF_H
#define BPF_LAST_SIGHTS_BPF_H

#include "kernel_types.bpf.h"
#include "process_counters.bpf.h"
#include "process_memory.bpf.h"
#include "process_records.h"
#include "reaped_storage.bpf.h"
#include "told_exits.bpf.h"

struct LastSight {
  struct ExitRecord record;
  __u64 parent_signal; /* 0 where the parent gets nothing of it. */
  struct StorageBytes added_to_parent;
  __u64 gone_since_ns; /* 0 while it is a zombie, as far as we know. */
  __u64 is_told;
};

/* By the address of the signal struct: the pid may be in use again before the process is freed.
 * Zombies stay in it, and when it is full, their parent and exact peak are lost. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8192);
  __uint(map_flags, 0);
  __type(key, __u64);
  __type(value, struct LastSight);
} last_sights SEC(".maps");

static __always_inline void set_fate(struct ExitRecord* record, const struct task_struct* leader) {
  const struct signal_struct* signal = leader->signal;
  record->wait_status =
      signal->flags & SIGNAL_GROUP_EXITS ? signal->group_exit_code : leader->exit_code;
  const __u32 by_signal = record->wait_status & 0x7f;
  if (by_signal == 9 && signal->oom_mm) {
    record->reason = EXIT_OOM;
  } else if (by_signal) {
    record->reason = EXIT_SIGNAL;
  } else {
    record->reason = record->wait_status ? EXIT_ERROR : EXIT_NORMAL;
  }
}

static __always_inline void set_identity(struct ExitRecord* record,
                                         const struct task_struct* leader) {
  record->start_boottime_ns = leader->start_boottime;
  record->cgroup_id = leader->cgroups->dfl_cgrp->kn->id;
  record->pid = leader->tgid;
  record->user_id = leader->real_cred->euid.val;
  record->task_flags = leader->flags;
  record->execs = execs_of(leader);
  copy_comm(record->comm, leader);
}

/* All of it goes to the parent, its own children's included. */
static __always_inline void set_added_to_parent(struct LastSight* sight,
                                                const struct task_struct* leader) {
  if (is_reaped_by_itself(leader)) return;
  bpf_core_read(&sight->parent_signal, sizeof sight->parent_signal, &leader->real_parent->signal);
  sight->added_to_parent.read = sight->record.counters.read_bytes;
  sight->added_to_parent.write = sight->record.counters.write_bytes;
}

static __always_inline int is_same(const struct LastSight* one, const struct LastSight* other) {
  return one->record.pid == other->record.pid &&
         one->record.start_boottime_ns == other->record.start_boottime_ns;
}

/* Whoever gets it tells of the process. */
static __always_inline int claim(struct LastSight* sight) {
  return __sync_val_compare_and_swap(&sight->is_told, 0, 1) == 0;
}

static __always_inline void tell_last_sight(struct LastSight* sight) {
  if (!claim(sight)) return;
  sight->record.flags |= EXIT_IS_LAST_SIGHT;
  tell(&sight->record);
}

/* False when it is there already: two last threads may both see that none lives; no thread does
 * before the last, and the first one counts. What another process left was never told: its signal
 * struct is in use again. */
static __always_inline int keep_sight(__u64 signal_address, const struct LastSight* sight) {
  if (bpf_map_update_elem(&last_sights, &signal_address, sight, BPF_NOEXIST) == 0) return 1;
  struct LastSight* other = bpf_map_lookup_elem(&last_sights, &signal_address);
  if (!other || is_same(other, sight)) return 0;
  tell_last_sight(other);
  return bpf_map_update_elem(&last_sights, &signal_address, sight, BPF_EXIST) == 0;
}

SEC("tp_btf/sched_process_exit")
int remember_last_sight(__u64* context) {
  const struct task_struct* task = (const void*)context[0];
  const struct signal_struct* signal = task->signal;
  struct LastSight sight = {};
  struct ExitRecord* record = &sight.record;
  __u64 signal_address = 0;
  __u64 mm_address = 0;
  if (signal->live.counter != 0) return 0;
  bpf_core_read(&signal_address, sizeof signal_address, &task->signal);
  bpf_core_read(&mm_address, sizeof mm_address, &task->mm);
  if (mm_address) { /* Already gone before 6.16. */
    struct Memory memory = {};
    read_memory(mm_address, &memory, 1);
    record->peak_resident_pages = memory.peak_resident_pages;
    record->flags = EXIT_PEAK_IS_EXACT;
  }
  const struct task_struct* leader = task->group_leader;
  set_identity(record, leader);
  set_fate(record, leader);
  record->parent_pid = leader->real_parent->tgid;
  set_ended(&record->counters, signal);
  add_thread(&record->counters, leader);
  if (task->pid != leader->pid) add_thread(&record->counters, task);
  set_added_to_parent(&sight, leader);
  take_off_reaped(leader, &record->counters);
  if (!keep_sight(signal_address, &sight)) return 0;
  if (sight.added_to_parent.read | sight.added_to_parent.write) {
    add_reaped(sight.parent_signal, sight.added_to_parent);
  }
  return 0;
}

/* So long after somebody waited for a process it is taken for freed, whether that was seen or not;
 * and for some time it is remembered that it was told, should it be freed only then. */
__u64 patience_ns = 0; /* Set when it is loaded. */
#define REMEMBERED_NS 10000000000ull

static long tell_if_missed(void* map, __u64* key, struct LastSight* sight, void* context) {
  (void)map;
  (void)context;
  const __u64 now_ns = bpf_ktime_get_boot_ns();
  struct task_struct* task = bpf_task_from_pid(sight->record.pid);
  int is_there = 0;
  if (task) {
    is_there = task->start_boottime == sight->record.start_boottime_ns;
    bpf_task_release(task);
  }
  if (is_there) return 0;
  if (!sight->gone_since_ns) {
    sight->gone_since_ns = now_ns;
    return 0;
  }
  const __u64 gone_ns = now_ns - sight->gone_since_ns;
  if (gone_ns >= patience_ns) tell_last_sight(sight);
  if (gone_ns >= patience_ns + REMEMBERED_NS) {
    const __u64 signal_address = *key;
    bpf_map_delete_elem(&last_sights, &signal_address);
    bpf_map_delete_elem(&reaped_storage, &signal_address);
  }
  return 0;
}

SEC("syscall")
int tell_missed_exits(void* context) {
  (void)context;
  return bpf_for_each_map_elem(&last_sights, tell_if_missed, 0, 0) >= 0 ? 0 : -1;
}

#endif
