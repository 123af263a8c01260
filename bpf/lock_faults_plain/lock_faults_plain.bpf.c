// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lock_faults for kernels whose verifier knows no callbacks, before 5.13: a stack is
 * told with one page of growth. They have no memfd_secret.
 */
#define PAGEWARDEN_NO_CALLBACKS 1
#include "../lock_faults/lock_faults.bpf.c"
