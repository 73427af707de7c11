/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All programs and maps of a watch, as one object: the kernel's BTF is parsed once. */
#include "process_exits.bpf.h"
#include "process_walk.bpf.h"

/* The kernel lets only such programs read its memory. */
char program_license[] SEC("license") = "Dual BSD/GPL";
