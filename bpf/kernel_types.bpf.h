/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The part of the kernel's own structs that we read. The names are the kernel's; the layout is not:
 * libbpf moves every access to where the running kernel's BTF says the field is (CO-RE), so order,
 * types left out and other fields do not matter. Where a field may be missing, ask
 * bpf_core_field_exists() first. */
#ifndef BPF_KERNEL_TYPES_BPF_H
#define BPF_KERNEL_TYPES_BPF_H

/* In this order, as libbpf's headers lack the includes that they need. */
/* clang-format off */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
/* clang-format on */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct seqcount {
  unsigned int sequence;
};
struct seqcount_spinlock {
  struct seqcount seqcount;
};
typedef struct {
  struct seqcount_spinlock seqcount;
} seqlock_t;

typedef struct {
  int counter;
} atomic_t;

struct percpu_counter {
  __s64 count;
  __s32* counters; /* Per CPU. */
};

/* The kernel's MM_FILEPAGES and so on. */
enum { RSS_FILE, RSS_ANONYMOUS, RSS_SWAP, RSS_SHARED, RSS_KINDS };

struct mm_struct {
  struct percpu_counter rss_stat[RSS_KINDS]; /* Since 6.2. */
  unsigned long hiwater_rss;
  unsigned long total_vm;
};

struct task_io_accounting {
  __u64 read_bytes; /* With CONFIG_TASK_IO_ACCOUNTING. */
  __u64 write_bytes;
};

struct sched_info {
  unsigned long long run_delay; /* With CONFIG_SCHED_INFO. */
};

struct sched_entity {
  __u64 sum_exec_runtime;
};

struct rlimit {
  unsigned long rlim_cur;
  unsigned long rlim_max;
};

struct signal_struct {
  atomic_t live;
  int nr_threads;
  int group_exit_code;
  unsigned int flags;
  seqlock_t stats_lock;
  __u64 utime;
  __u64 stime;
  unsigned long nvcsw;
  unsigned long nivcsw;
  unsigned long min_flt;
  unsigned long maj_flt;
  unsigned long maxrss;
  struct task_io_accounting ioac;
  unsigned long long sum_sched_runtime;
  struct rlimit rlim[16];
  struct mm_struct* oom_mm;
};

typedef struct {
  unsigned int val;
} kuid_t;

struct cred {
  kuid_t euid;
};

struct kernfs_node {
  __u64 id;
};
struct cgroup {
  struct kernfs_node* kn;
};
struct css_set {
  struct cgroup* dfl_cgrp;
};

struct fdtable {
  unsigned int max_fds;
  unsigned long* open_fds;
};
struct files_struct {
  struct fdtable* fdt;
};

struct sigaction {
  void (*sa_handler)(int);
  unsigned long sa_flags;
};
struct k_sigaction {
  struct sigaction sa;
};
struct sighand_struct {
  struct k_sigaction action[64];
};

struct task_struct {
  unsigned int __state;
  unsigned int flags;
  struct sched_entity se;
  struct sched_info sched_info;
  struct mm_struct* mm;
  int exit_state;
  int exit_code;
  int exit_signal;
  int pid;
  int tgid;
  struct task_struct* real_parent;
  struct task_struct* group_leader;
  __u64 utime;
  __u64 stime;
  unsigned long nvcsw;
  unsigned long nivcsw;
  __u64 start_boottime;
  unsigned long min_flt;
  unsigned long maj_flt;
  const struct cred* real_cred;
  char comm[16];
  struct files_struct* files;
  __u64 self_exec_id; /* 32 bits before 5.7, which libbpf sees to. */
  struct signal_struct* signal;
  struct sighand_struct* sighand;
  struct task_io_accounting ioac;
  struct css_set* cgroups;
};

/* Two words that every kernel has side by side: see word_at(). */
struct timespec64 {
  __s64 tv_sec;
  long tv_nsec;
};

struct bpf_array {
  void* pptrs[0]; /* What the elements of a per-CPU array start with, one per element. */
};

#pragma clang attribute pop

/* The kernel's struct bpf_iter_num (6.4), which newer headers declare and older ones do not. */
struct number_iterator {
  __u64 opaque;
} __attribute__((aligned(8)));
extern int bpf_iter_num_new(struct number_iterator* it, int start, int end) __ksym;
extern int* bpf_iter_num_next(struct number_iterator* it) __ksym;
extern void bpf_iter_num_destroy(struct number_iterator* it) __ksym;

/* Open-coded task iterators, since 6.7; the kernel's struct bpf_iter_task. */
struct task_iterator {
  __u64 opaque[3];
} __attribute__((aligned(8)));
enum { TASK_ITER_ALL_PROCESSES = 0, TASK_ITER_THREADS_OF_PROCESS = 2 };
extern int bpf_iter_task_new(struct task_iterator* it, struct task_struct* task,
                             unsigned int flags) __ksym;
extern struct task_struct* bpf_iter_task_next(struct task_iterator* it) __ksym;
extern void bpf_iter_task_destroy(struct task_iterator* it) __ksym;

/* The functions below the programs are global: the verifier looks at each once, alone, instead of
 * on each way to it, which it would not finish. Such a function takes kernel pointers as numbers,
 * and this makes them pointers again whose targets can be read, never written (since 6.2). */
extern void* bpf_rdonly_cast(const void* pointer, __u32 type) __ksym;
#define KERNEL_POINTER(type, address) \
  ((type*)bpf_rdonly_cast((void*)(address), bpf_core_type_id_kernel(type)))

/* Whoever has the pid, held; zombies too, until somebody waited for them. */
extern struct task_struct* bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct* task) __ksym;

/* A child begins with its parent's, and so do threads, of which one may become the main one. */
static __always_inline __u32 execs_of(const struct task_struct* task) {
  return bpf_core_field_exists(task->self_exec_id) ? task->self_exec_id : 0;
}

/* The kernel's memory at a number, without the call of a helper: a struct begins with the like. */
static __always_inline __s32 number_at(__u64 address) {
  return KERNEL_POINTER(struct seqcount, address)->sequence;
}

/* Two words, without the call of a helper. */
static __always_inline void copy_comm(char* to, const struct task_struct* task) {
  const __u64* from = (const void*)__builtin_preserve_access_index(&task->comm);
  ((__u64*)to)[0] = from[0];
  ((__u64*)to)[1] = from[1];
}

static __always_inline __u64 word_at(__u64 address) {
  return KERNEL_POINTER(struct timespec64, address)->tv_sec;
}

#define TASK_IS_KERNEL_THREAD 0x00200000u /* PF_KTHREAD */
#define SIGNAL_GROUP_EXITS 0x00000004u    /* SIGNAL_GROUP_EXIT */
#define LIMIT_OF_OPEN_FILES 7             /* RLIMIT_NOFILE */
#define SIGNAL_CHILD 17                   /* SIGCHLD */
#define SIGNAL_IS_IGNORED 1               /* SIG_IGN */
#define NO_CHILD_WAITS 0x00000002u        /* SA_NOCLDWAIT */

#endif
