/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One BPF_PROG_RUN writes a record of every process into a table that user space has mapped. */
#ifndef BPF_PROCESS_WALK_BPF_H
#define BPF_PROCESS_WALK_BPF_H

#include "kernel_types.bpf.h"
#include "open_files.bpf.h"
#include "process_counters.bpf.h"
#include "process_memory.bpf.h"
#include "process_records.h"
#include "reaped_storage.bpf.h"

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1); /* Set when it is loaded. */
  __type(key, __u32);
  __type(value, struct ProcessRecord);
} process_table SEC(".maps");

__u64 walk_scratch = 0;

static __always_inline void add_task(struct ProcessRecord* record, const struct task_struct* task) {
  add_thread(&record->counters, task);
  if (bpf_core_field_exists(task->sched_info.run_delay)) {
    record->cpu_delay_ns += task->sched_info.run_delay;
  }
}

/* Of the threads that ended and the main one. */
static __always_inline void set_sums(struct ProcessRecord* record,
                                     const struct signal_struct* signal,
                                     const struct task_struct* leader) {
  set_ended(&record->counters, signal);
  record->cpu_delay_ns = 0;
  add_task(record, leader);
  take_off_reaped(leader, &record->counters);
}

/* An address space, or a table of files, may be freed while it is read: reads of freed memory give
 * nonsense, not faults. The task lets go of it first, so what the task still has was read whole. */
__noinline int set_memory(struct ProcessRecord* record, __u64 task_address, int exactly) {
  struct task_struct* task = KERNEL_POINTER(struct task_struct, task_address);
  struct Memory memory = {};
  if (!record || !task) return 0;
  struct mm_struct* mm = task->mm;
  if (!mm || task->flags & TASK_IS_KERNEL_THREAD) return 0; /* That one only borrows it. */
  read_memory(address_of(mm, &walk_scratch), &memory, exactly);
  const __u64 virtual_pages = mm->total_vm;
  if (*(struct mm_struct* volatile*)&task->mm != mm) return 0;
  record->resident_file_pages = memory.pages[RSS_FILE];
  record->resident_anonymous_pages = memory.pages[RSS_ANONYMOUS];
  record->resident_shared_pages = memory.pages[RSS_SHARED];
  record->swap_pages = memory.pages[RSS_SWAP];
  record->peak_resident_pages = memory.peak_resident_pages;
  record->virtual_pages = virtual_pages;
  record->flags |= PROCESS_HAS_MEMORY | (memory.is_exact ? PROCESS_MEMORY_IS_EXACT : 0);
  return 0;
}

static __always_inline void clear_memory(struct ProcessRecord* record) {
  record->resident_file_pages = 0;
  record->resident_anonymous_pages = 0;
  record->resident_shared_pages = 0;
  record->swap_pages = 0;
  record->virtual_pages = 0;
  record->peak_resident_pages = 0;
}

/* What set_memory() does, without the parts of each CPU, and so without a loop. */
static __always_inline void set_memory_roughly(struct ProcessRecord* record,
                                               const struct task_struct* task) {
  const struct mm_struct* mm = task->mm;
  if (!mm || task->flags & TASK_IS_KERNEL_THREAD) return;
  const __u64 file = at_least_zero(mm->rss_stat[RSS_FILE].count);
  const __u64 anonymous = at_least_zero(mm->rss_stat[RSS_ANONYMOUS].count);
  const __u64 swap = at_least_zero(mm->rss_stat[RSS_SWAP].count);
  const __u64 shared = at_least_zero(mm->rss_stat[RSS_SHARED].count);
  const __u64 high_water = mm->hiwater_rss;
  const __u64 virtual_pages = mm->total_vm;
  if (*(const struct mm_struct* const volatile*)&task->mm != mm) return;
  record->resident_file_pages = file;
  record->resident_anonymous_pages = anonymous;
  record->resident_shared_pages = shared;
  record->swap_pages = swap;
  record->virtual_pages = virtual_pages;
  record->peak_resident_pages = larger_of(high_water, file + anonymous + shared);
  record->flags |= PROCESS_HAS_MEMORY;
}

/* A main thread may end before the others: what it no longer has, they still have. */
static __always_inline void set_shared(struct ProcessRecord* record, __u64 task_address,
                                       int is_complete) {
  if (!(record->flags & PROCESS_HAS_MEMORY)) set_memory(record, task_address, is_complete);
  if (is_complete && !(record->flags & PROCESS_HAS_FILES)) set_files(record, task_address);
}

__noinline int add_other_threads(struct ProcessRecord* record, __u64 leader_address,
                                 int is_complete) {
  struct task_iterator threads;
  struct task_struct* next;
  if (!record) return 0;
  struct task_struct* leader = bpf_task_from_pid(record->pid); /* The iterator wants one held. */
  if (!leader) return 0;
  const int is_same = address_of(leader, &walk_scratch) == leader_address;
  if (is_same) {
    bpf_rcu_read_lock();
    bpf_iter_task_new(&threads, leader, TASK_ITER_THREADS_OF_PROCESS);
    while ((next = bpf_iter_task_next(&threads))) {
      const __u64 address = address_of(next, &walk_scratch);
      const struct task_struct* thread = KERNEL_POINTER(struct task_struct, address);
      if (thread->pid == thread->tgid) continue;
      add_task(record, thread);
      set_shared(record, address, is_complete);
    }
    bpf_iter_task_destroy(&threads);
    bpf_rcu_read_unlock();
  }
  bpf_task_release(leader);
  return is_same;
}

static __always_inline __u32 sequence_of(const struct signal_struct* signal) {
  return *(const volatile __u32*)&signal->stats_lock.seqcount.seqcount.sequence;
}

static __always_inline int threads_of(const struct signal_struct* signal) {
  return *(const volatile int*)&signal->nr_threads;
}

/* A thread that ends moves its numbers to the signal struct and leaves the list, both within one
 * write of the sequence lock: when that did not move, each thread was counted once. Returns 0 when
 * the last thread, the main one, has been moved: such a process is gone and its exit tells. */
__noinline int sum_threads(struct ProcessRecord* record, __u64 leader_address, int is_complete) {
  const struct task_struct* leader = KERNEL_POINTER(struct task_struct, leader_address);
  if (!record || !leader) return 0;
  const struct signal_struct* signal = leader->signal;
  for (int attempt = 0; attempt < 4; attempt++) {
    const __u32 before = sequence_of(signal);
    const int threads = threads_of(signal);
    if (threads <= 0) return 0;
    set_sums(record, signal, leader);
    record->threads = threads;
    if (threads > 1 && !add_other_threads(record, leader_address, is_complete)) continue;
    if (!(before & 1) && sequence_of(signal) == before) return 1;
  }
  record->flags |= PROCESS_SUMS_ARE_TORN;
  return 1;
}

/* What a process has once, and the sums of one with a single thread. Without a branch: the verifier
 * searches all types of the kernel for each field that it sees read, on each way to it. Returns 0
 * when the sums are whole. */
static __always_inline __u32 set_own(struct ProcessRecord* record, const struct task_struct* leader,
                                     const struct signal_struct* signal) {
  const __u32 before = sequence_of(signal);
  const __u32 threads = threads_of(signal);
  set_sums(record, signal, leader);
  const __u32 after = sequence_of(signal);
  record->threads = threads;
  record->pid = leader->tgid;
  record->start_boottime_ns = leader->start_boottime;
  record->cgroup_id = leader->cgroups->dfl_cgrp->kn->id;
  record->parent_pid = leader->real_parent->tgid;
  record->user_id = leader->real_cred->euid.val;
  record->task_flags = leader->flags;
  record->task_state = leader->__state;
  record->exit_state = leader->exit_state;
  record->execs = execs_of(leader);
  copy_comm(record->comm, leader);
  record->flags = 0;
  record->open_files = 0;
  record->open_files_soft_limit = 0;
  clear_memory(record);
  return (threads ^ 1) | (before & 1) | (before ^ after);
}

static __always_inline int set_record(struct ProcessRecord* record,
                                      const struct task_struct* trusted,
                                      const struct task_struct* leader, __u64 leader_address,
                                      int is_complete) {
  const struct signal_struct* signal = trusted->signal;
  const __u32 is_partial = set_own(record, trusted, signal);
  if (!is_complete) set_memory_roughly(record, leader);
  if (!is_complete && !is_partial) return 1;

  if (is_complete) {
    record->open_files_soft_limit = signal->rlim[LIMIT_OF_OPEN_FILES].rlim_cur;
    set_shared(record, leader_address, is_complete);
  }
  return !is_partial || sum_threads(record, leader_address, is_complete);
}

/* Nothing that a process has counted changes without its running, and when it sleeps again its run
 * time is more: so most records of most walks need not be made again, and most of what a process is
 * made of need not be fetched from memory. `record`: of whichever process was in this place at the
 * last walk. */
static __always_inline int keep_unchanged(struct ProcessRecord* record,
                                          const struct task_struct* leader) {
  const struct signal_struct* signal = leader->signal;
  const __u64 run_time_ns = signal->sum_sched_runtime + leader->se.sum_exec_runtime;
  const __u64 difference = (record->start_boottime_ns ^ leader->start_boottime) |
                           (record->counters.run_time_ns ^ run_time_ns) |
                           (record->pid ^ leader->tgid) | (record->threads ^ 1) |
                           (threads_of(signal) ^ 1) | !leader->__state |
                           (record->flags & PROCESS_SUMS_ARE_TORN);
  if (difference) return 0;
  record->flags |= PROCESS_IS_UNCHANGED;
  return 1;
}

static __always_inline int walk(struct WalkRequest* request, const int is_complete) {
  const __u32 parts = request->parts;
  const __u32 part = request->part;
  const __u32 keeps_unchanged = request->keeps_unchanged;
  struct task_iterator processes;
  const struct task_struct* next;
  __u32 found = 0;
  file_words_left = file_words_per_walk;
  bpf_rcu_read_lock();
  bpf_iter_task_new(&processes, 0, TASK_ITER_ALL_PROCESSES);
  while ((next = bpf_iter_task_next(&processes))) {
    const __u64 address = address_of(next, &walk_scratch);
    const struct task_struct* leader = KERNEL_POINTER(struct task_struct, address);
    const __u32 pid = leader->pid;
    if (pid == 0) continue; /* The idle task of the boot CPU: no process. */
    if (parts > 1 && pid % parts != part) continue;
    struct ProcessRecord* record = bpf_map_lookup_elem(&process_table, &found);
    if (record && !is_complete && keeps_unchanged && keep_unchanged(record, next)) {
      found++;
      continue;
    }
    if (!record || set_record(record, next, leader, address, is_complete)) found++;
  }
  bpf_iter_task_destroy(&processes);
  bpf_rcu_read_unlock();
  request->found = found;
  return 0;
}

SEC("syscall")
int walk_counters(struct WalkRequest* request) { return walk(request, 0); }

SEC("syscall")
int walk_complete(struct WalkRequest* request) { return walk(request, 1); }

#endif
