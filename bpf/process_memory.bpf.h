/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an address space holds, as /proc/PID/statm counts it. */
#ifndef BPF_PROCESS_MEMORY_BPF_H
#define BPF_PROCESS_MEMORY_BPF_H

#include "kernel_types.bpf.h"

struct Memory {
  __s64 pages[RSS_KINDS];
  __u64 peak_resident_pages;
  __u64 is_exact;
};

/* A kernel pointer that is stored in a map and loaded again is a number. The scratch is a global
 * variable that one program, on one CPU at a time, has for itself. */
static __always_inline __u64 address_of(const void* pointer, volatile __u64* scratch) {
  *scratch = (__u64)pointer;
  return *scratch;
}

enum { MAX_CPUS = 1024 };

/* Where each CPU's copy of a per-CPU variable lies, relative to the variable's address. User space
 * sets cpu_count when learn_kernel has found as many as are possible; none: no exact memory. */
__u32 cpu_count = 0;
__u64 cpu_offset_bytes[MAX_CPUS] = {};
__u64 learning_scratch = 0;

/* What this kernel was built with. */
__u32 has_cpu_delay = 0;
__u32 has_storage_bytes = 0;

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} cpu_probe SEC(".maps");

/* No helper follows a per-CPU pointer found in a struct. But the pointer of each CPU's element of a
 * map of our own, less the map's per-CPU pointer, is the distance for every per-CPU variable. */
SEC("syscall")
int learn_kernel(void* context) {
  const struct task_struct* task = context; /* Only for its type. */
  has_cpu_delay = bpf_core_field_exists(task->sched_info.run_delay);
  has_storage_bytes = bpf_core_field_exists(task->ioac.read_bytes);
  struct number_iterator cpus;
  const int* cpu;
  __u64 first = 0;
  __u32 zero = 0;
  __u32 count = 0;
  const __u64 map = address_of(&cpu_probe, &learning_scratch);
  const void* elements = (void*)(map + bpf_core_field_offset(struct bpf_array, pptrs));
  if (bpf_probe_read_kernel(&first, sizeof first, elements) != 0) return -1;
  bpf_iter_num_new(&cpus, 0, MAX_CPUS);
  while ((cpu = bpf_iter_num_next(&cpus))) {
    const __u32 index = *cpu;
    void* element = bpf_map_lookup_percpu_elem(&cpu_probe, &zero, index);
    if (!element || index >= MAX_CPUS) break;
    cpu_offset_bytes[index] = address_of(element, &learning_scratch) - first;
    count = index + 1;
  }
  bpf_iter_num_destroy(&cpus);
  learning_scratch = 0;
  return count;
}

/* Each part is read at its own time, so a sum may be a little below zero. Without a branch, as each
 * doubles the ways that the verifier has to follow. */
static __always_inline __s64 at_least_zero(__s64 pages) { return pages & ~(pages >> 63); }

static __always_inline __u64 larger_of(__u64 one, __u64 other) {
  return one + at_least_zero(other - one);
}

static __always_inline void add_pages_of(struct Memory* memory, __u64 parts) {
  for (int kind = 0; kind < RSS_KINDS; kind++) {
    memory->pages[kind] += number_at(parts + kind * sizeof(__s32));
  }
}

/* Most hosts have so few that a plain loop does, without an iterator's calls. */
enum { FEW_CPUS = 8 };

static __always_inline void add_pages_of_others(struct Memory* memory, __u64 first) {
  struct number_iterator cpus;
  const int* cpu;
  bpf_iter_num_new(&cpus, FEW_CPUS, cpu_count);
  while ((cpu = bpf_iter_num_next(&cpus))) {
    const __u32 index = *cpu;
    if (index >= MAX_CPUS) break;
    add_pages_of(memory, first + cpu_offset_bytes[index]);
  }
  bpf_iter_num_destroy(&cpus);
}

/* `mm_address`: of an mm_struct. The caller checks afterwards that it was still in use. */
__noinline int read_memory(__u64 mm_address, struct Memory* memory, int exactly) {
  const struct mm_struct* mm = KERNEL_POINTER(struct mm_struct, mm_address);
  if (!memory || !mm) return 0;
  memory->pages[RSS_FILE] = mm->rss_stat[RSS_FILE].count;
  memory->pages[RSS_ANONYMOUS] = mm->rss_stat[RSS_ANONYMOUS].count;
  memory->pages[RSS_SWAP] = mm->rss_stat[RSS_SWAP].count;
  memory->pages[RSS_SHARED] = mm->rss_stat[RSS_SHARED].count;

  /* The kernel keeps the four kinds of one CPU side by side (since 6.6), so a CPU is one read. */
  const __u64 first = (__u64)mm->rss_stat[RSS_FILE].counters;
  memory->is_exact = exactly && cpu_count &&
                     (__u64)mm->rss_stat[RSS_ANONYMOUS].counters == first + 4 &&
                     (__u64)mm->rss_stat[RSS_SWAP].counters == first + 8 &&
                     (__u64)mm->rss_stat[RSS_SHARED].counters == first + 12;
  if (memory->is_exact) {
    for (__u32 cpu = 0; cpu < FEW_CPUS && cpu < cpu_count; cpu++) {
      add_pages_of(memory, first + cpu_offset_bytes[cpu]);
    }
    if (cpu_count > FEW_CPUS) add_pages_of_others(memory, first);
  }
  for (int kind = 0; kind < RSS_KINDS; kind++) {
    memory->pages[kind] = at_least_zero(memory->pages[kind]);
  }
  const __u64 resident =
      memory->pages[RSS_FILE] + memory->pages[RSS_ANONYMOUS] + memory->pages[RSS_SHARED];
  memory->peak_resident_pages = larger_of(mm->hiwater_rss, resident);
  return 1;
}

#endif
