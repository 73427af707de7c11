/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a process has used: a thread that ends moves its numbers to the signal struct. */
#ifndef BPF_PROCESS_COUNTERS_BPF_H
#define BPF_PROCESS_COUNTERS_BPF_H

#include "kernel_types.bpf.h"
#include "process_records.h"

/* Of the threads that ended. */
static __always_inline void set_ended(struct ProcessCounters* counters,
                                      const struct signal_struct* signal) {
  counters->user_time_ns = signal->utime;
  counters->system_time_ns = signal->stime;
  counters->run_time_ns = signal->sum_sched_runtime;
  counters->minor_faults = signal->min_flt;
  counters->major_faults = signal->maj_flt;
  counters->voluntary_switches = signal->nvcsw;
  counters->involuntary_switches = signal->nivcsw;
  counters->read_bytes = 0;
  counters->write_bytes = 0;
  if (bpf_core_field_exists(signal->ioac.read_bytes)) {
    counters->read_bytes = signal->ioac.read_bytes;
    counters->write_bytes = signal->ioac.write_bytes;
  }
}

static __always_inline void add_thread(struct ProcessCounters* counters,
                                       const struct task_struct* task) {
  counters->user_time_ns += task->utime;
  counters->system_time_ns += task->stime;
  counters->run_time_ns += task->se.sum_exec_runtime;
  counters->minor_faults += task->min_flt;
  counters->major_faults += task->maj_flt;
  counters->voluntary_switches += task->nvcsw;
  counters->involuntary_switches += task->nivcsw;
  if (bpf_core_field_exists(task->ioac.read_bytes)) {
    counters->read_bytes += task->ioac.read_bytes;
    counters->write_bytes += task->ioac.write_bytes;
  }
}

#endif
