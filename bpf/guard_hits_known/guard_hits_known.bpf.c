// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * guard_hits for kernels without open-coded iterators. An object of its own: libbpf looks for
 * a kernel function that is missing in the modules too, and needs CAP_SYS_ADMIN for it.
 */
#define PAGEWARDEN_NO_ITERATORS 1
#include "../guard_hits/guard_hits.bpf.c"
