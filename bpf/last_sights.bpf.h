/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was last seen of each process whose threads have all ended, until it is freed.
 *
 * A process is freed by an interrupt, in whatever context. Where a security module keeps BPF
 * programs out of the context of a process, nothing tells of some that are freed there: of these
 * the last sight is told instead. It is of the end of the last thread, and so lacks the CPU time
 * that the kernel had not added up by then, a tick's at most of each thread, and what it took to
 * tear the process down. */
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
  struct ProcessKey parent; /* 0 where the parent gets nothing of it. */
  struct StorageBytes added_to_parent;
  __u64 gone_since_ns;   /* 0 while it is a zombie, as far as we know. */
  __u64 untold_start_ns; /* Of record, until somebody has told it: see claim(). */
};

/* Zombies stay in it. When it is full, a process has no parent and no exact peak, and is told by
 * its being freed alone. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 32768);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct ProcessKey);
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
  sight->parent = key_of(leader->real_parent->group_leader);
  sight->added_to_parent.read = sight->record.counters.read_bytes;
  sight->added_to_parent.write = sight->record.counters.write_bytes;
}

/* Of the two that may tell of a process, one gets it. Whoever is late may hold a place in the map
 * that is another's by now: that one started at another time. */
static __always_inline int claim(struct LastSight* sight, __u64 start_ns) {
  return __sync_val_compare_and_swap(&sight->untold_start_ns, start_ns, 0) == start_ns;
}

/* Those that have ended but were not taken apart yet are in no sum: after an exit of all threads at
 * once, that may be most of them. */
static __always_inline void add_threads(struct ProcessCounters* counters, struct task_struct* task,
                                        const struct signal_struct* signal) {
  struct task_iterator threads;
  struct task_struct* thread;
  if (signal->nr_threads == 1) {
    add_thread(counters, task);
    return;
  }
  bpf_iter_task_new(&threads, task, TASK_ITER_THREADS_OF_PROCESS);
  while ((thread = bpf_iter_task_next(&threads))) add_thread(counters, thread);
  bpf_iter_task_destroy(&threads);
}

SEC("tp_btf/sched_process_exit")
int remember_last_sight(__u64* context) {
  struct task_struct* task = (void*)context[0];
  const struct signal_struct* signal = task->signal;
  struct LastSight sight = {};
  struct ExitRecord* record = &sight.record;
  __u64 mm_address = 0;
  if (signal->live.counter != 0) return 0;
  bpf_core_read(&mm_address, sizeof mm_address, &task->mm);
  if (mm_address) { /* Already gone before 6.16. */
    struct Memory memory = {};
    read_memory(mm_address, &memory, 1);
    record->peak_resident_pages = memory.peak_resident_pages;
    record->flags = EXIT_PEAK_IS_EXACT;
  }
  const struct task_struct* leader = task->group_leader;
  const struct ProcessKey key = key_of(leader);
  set_identity(record, leader);
  set_fate(record, leader);
  record->parent_pid = leader->real_parent->tgid;
  set_ended(&record->counters, signal);
  add_threads(&record->counters, task, signal);
  set_added_to_parent(&sight, leader);
  take_off_reaped(leader, &record->counters);
  sight.untold_start_ns = record->start_boottime_ns;
  /* Two last threads may both see that none lives; no thread does before the last. The first one
   * counts. */
  const int is_kept = bpf_map_update_elem(&last_sights, &key, &sight, BPF_NOEXIST) == 0;
  if (!is_kept && bpf_map_lookup_elem(&last_sights, &key)) return 0;
  if (sight.added_to_parent.read | sight.added_to_parent.write) {
    add_reaped(&sight.parent, sight.added_to_parent);
  }
  return 0;
}

/* So long after it was first seen that somebody had waited for a process, it is taken for freed,
 * whether that was seen or not; and for some time it is remembered that it was told, should it be
 * freed only then. */
__u64 patience_ns = 0; /* Set when it is loaded. */
#define REMEMBERED_NS 10000000000ull
__u64 told_last_sights = 0;

static __always_inline int is_there(const struct ProcessKey* process) {
  struct task_struct* task = bpf_task_from_pid(process->pid);
  if (!task) return 0;
  const int is_same = task->start_boottime == process->start_boottime_ns;
  bpf_task_release(task);
  return is_same;
}

static __always_inline void tell_last_sight(struct LastSight* sight, const struct ProcessKey* key) {
  struct ExitRecord record =
      sight->record; /* Before it is claimed, as the place may be given on. */
  if (!claim(sight, key->start_boottime_ns)) return;
  record.flags |= EXIT_IS_LAST_SIGHT;
  told_last_sights++;
  tell(&record);
}

static long tell_if_missed(void* map, struct ProcessKey* key, struct LastSight* sight,
                           void* context) {
  (void)map;
  (void)context;
  const struct ProcessKey process = *key;
  if (is_there(&process)) {
    sight->gone_since_ns = 0;
    return 0;
  }
  const __u64 now_ns = bpf_ktime_get_ns();
  if (!sight->gone_since_ns) sight->gone_since_ns = now_ns;
  const __u64 gone_ns = now_ns - sight->gone_since_ns;
  if (sight->untold_start_ns) {
    if (gone_ns >= patience_ns) tell_last_sight(sight, &process);
  } else if (gone_ns >= patience_ns + REMEMBERED_NS) {
    bpf_map_delete_elem(&last_sights, &process);
    bpf_map_delete_elem(&reaped_storage, &process);
  }
  return 0;
}

SEC("syscall")
int tell_missed_exits(void* context) {
  (void)context;
  return bpf_for_each_map_elem(&last_sights, tell_if_missed, 0, 0) >= 0 ? 0 : -1;
}

#endif
