/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where user space has exits from: each goes to exactly one place, a record in the ring; where that
 * is full, the sums under its key; where those have no room for the key, the sums of the nameless.
 */
#ifndef BPF_TOLD_EXITS_BPF_H
#define BPF_TOLD_EXITS_BPF_H

#include "kernel_types.bpf.h"
#include "process_records.h"

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

static __always_inline void tell(const struct ExitRecord* record) {
  /* No wake-up per exit: user space comes by on its tick. */
  if (bpf_ringbuf_output(&exit_ring, (void*)record, sizeof *record, BPF_RB_NO_WAKEUP) == 0) return;
  if (!add_to_sums(record)) add_exit(&nameless_sums, record);
}

#endif
