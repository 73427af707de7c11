/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How many files a process has open. */
#ifndef BPF_OPEN_FILES_BPF_H
#define BPF_OPEN_FILES_BPF_H

#include "kernel_types.bpf.h"
#include "process_records.h"

static __always_inline __u32 count_bits(__u64 word) {
  word -= (word >> 1) & 0x5555555555555555ul;
  word = (word & 0x3333333333333333ul) + ((word >> 2) & 0x3333333333333333ul);
  word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0ful;
  return (word * 0x0101010101010101ul) >> 56;
}

/* A table of a million places may be shared by thousands of processes, at no cost to who made them:
 * how much is counted in one walk is bounded. */
enum { FILE_WORDS_PER_READ = 16 };
__u32 file_words_per_walk = 0; /* Set when it is loaded. */
__u32 file_words_left = 0;

/* Most processes have so few that a plain loop does, without helpers. */
enum { FEW_FILE_WORDS = 4 };

/* Unless they were let go of meanwhile, and were another's. */
static __always_inline int found_files(struct ProcessRecord* record, struct task_struct* task,
                                       const struct files_struct* files, __u32 open_files) {
  if (*(struct files_struct* volatile*)&task->files != files) return 0;
  record->open_files = open_files;
  record->flags |= PROCESS_HAS_FILES;
  return 0;
}

__noinline int set_files(struct ProcessRecord* record, __u64 task_address) {
  struct task_struct* task = KERNEL_POINTER(struct task_struct, task_address);
  struct number_iterator blocks;
  const int* block;
  __u32 open_files = 0;
  if (!record || !task) return 0;
  struct files_struct* files = task->files;
  if (!files) return 0;
  const struct fdtable* table = files->fdt;
  const __u64 bits = (__u64)table->open_fds;
  const __u32 count = table->max_fds / 64;
  if (count > file_words_left) return 0;
  file_words_left -= count;
  if (count <= FEW_FILE_WORDS) {
    for (__u32 index = 0; index < FEW_FILE_WORDS && index < count; index++) {
      open_files += count_bits(word_at(bits + index * sizeof(__u64)));
    }
    return found_files(record, task, files, open_files);
  }
  bpf_iter_num_new(&blocks, 0, (count + FILE_WORDS_PER_READ - 1) / FILE_WORDS_PER_READ);
  while ((block = bpf_iter_num_next(&blocks))) {
    __u64 words[FILE_WORDS_PER_READ] = {};
    const __u32 first = *block * FILE_WORDS_PER_READ;
    __u32 here = count - first;
    if (here > FILE_WORDS_PER_READ) here = FILE_WORDS_PER_READ;
    bpf_probe_read_kernel(words, here * sizeof *words, (void*)(bits + first * sizeof *words));
    for (__u32 index = 0; index < FILE_WORDS_PER_READ && index < here; index++) {
      open_files += count_bits(words[index]);
    }
  }
  bpf_iter_num_destroy(&blocks);
  return found_files(record, task, files, open_files);
}

#endif
