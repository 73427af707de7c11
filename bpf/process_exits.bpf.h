/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every process that is gone goes to exactly one place: a record in the ring; where that is full,
 * the sums under its key; where those have no room for the key, the sums of the nameless. */
#ifndef BPF_PROCESS_EXITS_BPF_H
#define BPF_PROCESS_EXITS_BPF_H

#include "kernel_types.bpf.h"
#include "process_memory.bpf.h"
#include "process_records.h"
#include "reaped_storage.bpf.h"

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096); /* Set when it is loaded, as are the sizes of the sums. */
} exit_ring SEC(".maps");

/* Two sets of sums: while user space empties one, exits go to the other. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, struct ExitKey);
  __type(value, struct ExitSums);
} exit_sums_0 SEC(".maps"), exit_sums_1 SEC(".maps");

/* User space turns active_sums over, and may empty the other set once nobody is in it: each program
 * enters a set before it looks whether it is still the active one. Both sides need a full barrier
 * between their write and their read. */
volatile __u32 active_sums = 0;
volatile __u64 inside_sums[2] = {};
volatile __u32 used_sums[2] = {};
struct ExitSums nameless_sums = {};

/* What is gone when a process is freed, kept from the end of its last thread. By the address of the
 * signal struct: the pid may be in use again before the process is freed. Zombies stay in it, and
 * when it is full, their parent and exact peak are lost. */
struct LastSight {
  __u64 peak_resident_pages;
  __u64 parent_signal; /* 0 where the parent gets nothing of it. */
  struct StorageBytes added_to_parent;
  __u32 parent_pid;
  __u32 flags; /* ExitFlag. */
};
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8192);
  __uint(map_flags, 0);
  __type(key, __u64);
  __type(value, struct LastSight);
} last_sights SEC(".maps");

SEC("tp_btf/sched_process_exit")
int remember_last_sight(__u64* context) {
  const struct task_struct* task = (const void*)context[0];
  const struct signal_struct* signal = task->signal;
  struct LastSight sight = {};
  __u64 signal_address = 0;
  __u64 mm_address = 0;
  if (signal->live.counter != 0) return 0;
  bpf_core_read(&signal_address, sizeof signal_address, &task->signal);
  bpf_core_read(&mm_address, sizeof mm_address, &task->mm);
  if (mm_address) { /* Already gone before 6.16. */
    struct Memory memory = {};
    read_memory(mm_address, &memory, 1);
    sight.peak_resident_pages = memory.peak_resident_pages;
    sight.flags = EXIT_PEAK_IS_EXACT;
  }
  const struct task_struct* leader = task->group_leader;
  sight.parent_pid = leader->real_parent->tgid;
  if (!is_reaped_by_itself(leader)) {
    bpf_core_read(&sight.parent_signal, sizeof sight.parent_signal, &leader->real_parent->signal);
    sight.added_to_parent = storage_at_end(task, leader);
  }
  /* Two last threads may both see 0; no thread sees it before the last. The first one counts. */
  if (bpf_map_update_elem(&last_sights, &signal_address, &sight, BPF_NOEXIST) != 0) return 0;
  if (sight.added_to_parent.read | sight.added_to_parent.write) {
    add_reaped(sight.parent_signal, sight.added_to_parent);
  }
  return 0;
}

static __always_inline void set_fate(struct ExitRecord* record, const struct task_struct* leader,
                                     const struct signal_struct* signal) {
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

static __always_inline void set_final(struct ExitRecord* record, const struct task_struct* leader,
                                      const struct signal_struct* signal) {
  struct ProcessCounters* counters = &record->counters;
  record->start_boottime_ns = leader->start_boottime;
  record->cgroup_id = leader->cgroups->dfl_cgrp->kn->id;
  counters->user_time_ns = signal->utime;
  counters->system_time_ns = signal->stime;
  counters->run_time_ns = signal->sum_sched_runtime;
  counters->minor_faults = signal->min_flt;
  counters->major_faults = signal->maj_flt;
  if (bpf_core_field_exists(signal->ioac.read_bytes)) {
    counters->read_bytes = signal->ioac.read_bytes;
    counters->write_bytes = signal->ioac.write_bytes;
    take_off_reaped(leader, &counters->read_bytes, &counters->write_bytes);
  }
  counters->voluntary_switches = signal->nvcsw;
  counters->involuntary_switches = signal->nivcsw;
  record->pid = leader->tgid;
  record->user_id = leader->real_cred->euid.val;
  record->task_flags = leader->flags;
  record->execs = execs_of(leader);
  bpf_probe_read_kernel(record->comm, sizeof record->comm, leader->comm);
}

static __always_inline void set_last_sight(struct ExitRecord* record,
                                           const struct task_struct* leader) {
  __u64 signal_address = 0;
  bpf_core_read(&signal_address, sizeof signal_address, &leader->signal);
  const struct LastSight* sight = bpf_map_lookup_elem(&last_sights, &signal_address);
  if (sight) {
    record->parent_pid = sight->parent_pid;
    record->peak_resident_pages = sight->peak_resident_pages;
    record->flags = sight->flags;
    if (sight->parent_signal) {
      add_rest(sight->parent_signal, sight->added_to_parent, leader->signal);
    }
    bpf_map_delete_elem(&last_sights, &signal_address);
  }
  bpf_map_delete_elem(&reaped_storage, &signal_address);
  if (!(record->flags & EXIT_PEAK_IS_EXACT)) {
    record->peak_resident_pages = leader->signal->maxrss;
  }
}

static __always_inline void raise_to(__u64* peak, __u64 pages) {
  for (int attempt = 0; attempt < 8; attempt++) {
    const __u64 seen = *(volatile __u64*)peak;
    if (seen >= pages || __sync_val_compare_and_swap(peak, seen, pages) == seen) return;
  }
}

static __always_inline void add_exit(struct ExitSums* sums, const struct ExitRecord* record) {
  const struct ProcessCounters* counters = &record->counters;
  struct ProcessCounters* sum = &sums->counters;
  __sync_fetch_and_add(&sums->exits[record->reason & (EXIT_REASONS - 1)], 1);
  __sync_fetch_and_add(&sum->user_time_ns, counters->user_time_ns);
  __sync_fetch_and_add(&sum->system_time_ns, counters->system_time_ns);
  __sync_fetch_and_add(&sum->run_time_ns, counters->run_time_ns);
  __sync_fetch_and_add(&sum->minor_faults, counters->minor_faults);
  __sync_fetch_and_add(&sum->major_faults, counters->major_faults);
  __sync_fetch_and_add(&sum->read_bytes, counters->read_bytes);
  __sync_fetch_and_add(&sum->write_bytes, counters->write_bytes);
  __sync_fetch_and_add(&sum->voluntary_switches, counters->voluntary_switches);
  __sync_fetch_and_add(&sum->involuntary_switches, counters->involuntary_switches);
  if (record->flags & EXIT_PEAK_IS_EXACT) {
    raise_to(&sums->peak_resident_pages, record->peak_resident_pages);
  }
}

static __always_inline int add_to_map(void* map, const struct ExitRecord* record) {
  struct ExitKey key = {.cgroup_id = record->cgroup_id, .user_id = record->user_id};
  __builtin_memcpy(key.comm, record->comm, sizeof key.comm);
  struct ExitSums* sums = bpf_map_lookup_elem(map, &key);
  if (!sums) {
    const struct ExitSums none = {};
    bpf_map_update_elem(map, &key, &none, BPF_NOEXIST); /* Or another CPU was faster. */
    sums = bpf_map_lookup_elem(map, &key);
    if (!sums) return 0;
  }
  add_exit(sums, record);
  return 1;
}

/* Returns the set that was entered, or 2. */
static __always_inline __u32 enter_sums(void) {
  for (int attempt = 0; attempt < 4; attempt++) {
    const __u32 set = active_sums & 1;
    /* Only the form whose result is used is a full barrier on every machine. */
    const __u64 others = __sync_fetch_and_add(&inside_sums[set], 1);
    const int is_sane = others < (1ull << 32);
    if ((active_sums & 1) == set && is_sane) return set;
    __sync_fetch_and_add(&inside_sums[set], -1);
  }
  return 2;
}

static __always_inline int add_to_sums(const struct ExitRecord* record) {
  const __u32 set = enter_sums();
  if (set > 1) return 0;
  const int is_added = set ? add_to_map(&exit_sums_1, record) : add_to_map(&exit_sums_0, record);
  used_sums[set] = 1;
  __sync_fetch_and_add(&inside_sums[set], -1);
  return is_added;
}

/* Only a process's main thread is freed with its pid: exec from another thread makes that one the
 * main one, under the same pid, start time and signal struct. All threads have been added to the
 * signal struct by then. */
SEC("tp_btf/sched_process_free")
int account_exit(__u64* context) {
  const struct task_struct* task = (const void*)context[0];
  if (task->pid != task->tgid) return 0;
  const struct signal_struct* signal = task->signal;
  struct ExitRecord record = {};
  set_final(&record, task, signal);
  set_fate(&record, task, signal);
  set_last_sight(&record, task);
  /* No wake-up per exit: user space comes by on its tick. */
  if (bpf_ringbuf_output(&exit_ring, &record, sizeof record, BPF_RB_NO_WAKEUP) == 0) return 0;
  if (!add_to_sums(&record)) add_exit(&nameless_sums, &record);
  return 0;
}

#endif
