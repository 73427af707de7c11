/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every process that is gone, with its last numbers. */
#ifndef BPF_PROCESS_EXITS_BPF_H
#define BPF_PROCESS_EXITS_BPF_H

#include "kernel_types.bpf.h"
#include "last_sights.bpf.h"
#include "process_counters.bpf.h"
#include "process_records.h"
#include "reaped_storage.bpf.h"
#include "told_exits.bpf.h"

/* Adds what the process no longer knows. False when it was told already. */
static __always_inline int take_last_sight(struct ExitRecord* record,
                                           const struct task_struct* leader) {
  const struct ProcessKey key = key_of(leader);
  struct LastSight* sight = bpf_map_lookup_elem(&last_sights, &key);
  int is_untold = 1;
  if (sight) {
    record->parent_pid = sight->record.parent_pid;
    record->peak_resident_pages = sight->record.peak_resident_pages;
    record->flags = sight->record.flags;
    if (sight->parent.pid) add_rest(&sight->parent, sight->added_to_parent, leader->signal);
    is_untold = claim(sight, key.start_boottime_ns);
    bpf_map_delete_elem(&last_sights, &key);
  }
  bpf_map_delete_elem(&reaped_storage, &key);
  if (!(record->flags & EXIT_PEAK_IS_EXACT)) {
    record->peak_resident_pages = leader->signal->maxrss;
  }
  return is_untold;
}

/* Only a process's main thread is freed with its pid: exec from another thread makes that one the
 * main one, under the same pid, start time and signal struct. All threads have been added to the
 * signal struct by then. */
SEC("tp_btf/sched_process_free")
int account_exit(__u64* context) {
  const struct task_struct* task = (const void*)context[0];
  if (task->pid != task->tgid) return 0;
  struct ExitRecord record = {};
  set_identity(&record, task);
  set_fate(&record, task);
  set_ended(&record.counters, task->signal);
  take_off_reaped(task, &record.counters);
  if (take_last_sight(&record, task)) tell(&record);
  return 0;
}

#endif
