/* What the BPF programs hand to C++: plain structs, the same bytes on both sides. Times are
 * nanoseconds, memory is pages, and every sum over threads is made in the kernel. A field that a
 * flag vouches for is 0, and means nothing, without the flag. */
#ifndef BPF_PROCESS_RECORDS_H
#define BPF_PROCESS_RECORDS_H

#include <linux/types.h>

/* Constants as in C. NOLINTBEGIN(readability-identifier-naming) */

enum { PROCESS_COMM_BYTES = 16 }; /* Any bytes; a NUL is the last one and may come earlier. */

enum ProcessFlag {
  /* An address space was found and read whole: the resident, swap, virtual and peak pages mean
   * something. Kernel threads and zombies have none. */
  PROCESS_HAS_MEMORY = 1u << 0,
  /* The pages are exact, per-CPU parts included. Without it each kind of pages may be wrong by
   * max(32, 2 * CPUs) * CPUs pages, like the rss of /proc/PID/stat. */
  PROCESS_MEMORY_IS_EXACT = 1u << 1,
  /* open_files was counted. Bounded by the places in all tables of a walk. */
  PROCESS_HAS_FILES = 1u << 2,
  /* Threads ended faster than they could be summed up: the sums may be too low or too high this
   * once, and a ledger had better keep those of the pass before. */
  PROCESS_SUMS_ARE_TORN = 1u << 3,
  /* It sleeps, and did not run since the walk before: the record is of then. What others do to it,
   * taking its memory or moving it to another cgroup, comes later. Never of several threads. */
  PROCESS_IS_UNCHANGED = 1u << 4,
};

/* Of a whole process, its threads that ended included, or of several. */
struct ProcessCounters {
  __u64 user_time_ns; /* Tick-sampled, as are system times; see scaled_times(). */
  __u64 system_time_ns;
  __u64 run_time_ns; /* Exact time on a CPU: at its end, what wait4's rusage adds up to; before
                      * that, but for the current slice of running threads. */
  __u64 minor_faults;
  __u64 major_faults;
  __u64 read_bytes; /* Storage traffic of its own; /proc/PID/io adds reaped children. */
  __u64 write_bytes;
  __u64 voluntary_switches;
  __u64 involuntary_switches;
};

/* A process that runs, or is a zombie nobody has waited for. */
struct ProcessRecord {
  __u64 start_boottime_ns; /* Since boot, suspend included; /proc/PID/stat has it in ticks. */
  __u64 cgroup_id;         /* In the default (v2) hierarchy: the directory's inode number. */
  struct ProcessCounters counters;
  __u64 cpu_delay_ns; /* Waited for a CPU; of the threads alive, so it may go back. */
  __u64 resident_file_pages;
  __u64 resident_anonymous_pages;
  __u64 resident_shared_pages; /* shmem: tmpfs, memfd, shared anonymous memory. */
  __u64 swap_pages;
  __u64 virtual_pages;
  __u64 peak_resident_pages;   /* Of this address space: exec starts anew. Like VmHWM. */
  __u64 open_files_soft_limit; /* RLIMIT_NOFILE; ~0 is infinity. */
  __u32 open_files;
  __u32 threads;
  __u32 pid;                     /* Of the process (tgid), in the initial pid namespace. */
  __u32 parent_pid;              /* The real parent's; 0 for those the kernel made. */
  __u32 user_id;                 /* Effective, in the initial user namespace. */
  __u32 task_flags;              /* PF_*: 0x200000 is a kernel thread. */
  __u32 task_state;              /* Of the main thread: task_struct's __state and exit_state; see */
  __u32 exit_state;              /* state_letter(). */
  __u32 flags;                   /* ProcessFlag. */
  char comm[PROCESS_COMM_BYTES]; /* Of the main thread; without what /proc adds to kworkers. */
  __u32 execs;                   /* Changes with every exec. */
};

enum ExitReason {
  EXIT_NORMAL = 0,
  EXIT_ERROR = 1,  /* Exit status other than 0. */
  EXIT_SIGNAL = 2, /* Ended by a signal. */
  EXIT_OOM = 3,    /* SIGKILL by the kernel's out-of-memory killer. */
  EXIT_REASONS = 4,
};

enum ExitFlag {
  /* peak_resident_pages is of the last address space. Without it (before Linux 6.16, or more
   * zombies than the kernel map has room for) it is rusage's ru_maxrss, which may be that of the
   * program before exec. */
  EXIT_PEAK_IS_EXACT = 1u << 0,
  /* It was freed unseen. The counters are of the end of its last thread: without the CPU time that
   * the kernel had not added up by then, a tick's at most of each thread, and without what it took
   * to tear the process down. Parent and reason are of then, too. */
  EXIT_IS_LAST_SIGHT = 1u << 1,
};

/* A process that is gone: its last numbers, what happened while it was torn down included. */
struct ExitRecord {
  __u64 start_boottime_ns; /* With pid, the same identity as in ProcessRecord. */
  __u64 cgroup_id;
  struct ProcessCounters counters;
  __u64 peak_resident_pages;
  __u32 pid;
  __u32 parent_pid; /* When it exited; 0 when unknown: it was a zombie before we came. */
  __u32 user_id;
  __u32 task_flags;
  __u32 wait_status; /* As waitpid() gives it: WIFEXITED and so on apply. */
  __u32 reason;      /* ExitReason. */
  __u32 flags;       /* ExitFlag. */
  __u32 execs;       /* As in ProcessRecord. */
  char comm[PROCESS_COMM_BYTES];
};

/* Exits for which the ring had no room are summed up under this key. */
struct ExitKey {
  __u64 cgroup_id;
  __u32 user_id;
  __u32 reserved;
  char comm[PROCESS_COMM_BYTES];
};

struct ExitSums {
  __u64 exits[EXIT_REASONS];
  struct ProcessCounters counters;
  __u64 peak_resident_pages; /* The largest of all that are exact; 0 when none is. */
};

/* The question to the walk, and its answer: the context of its BPF_PROG_RUN. */
struct WalkRequest {
  __u32 parts; /* Only processes with pid % parts == part. */
  __u32 part;
  __u32 keeps_unchanged; /* The table has the records of the walk before, each in its place. */
  __u32 found; /* The answer: processes of that part. Those past the table's end are not in it. */
};

/* NOLINTEND(readability-identifier-naming) */

#endif
