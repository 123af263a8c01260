// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lock_calls for kernels whose verifier knows no callbacks, before 5.13: without the
 * walk of the mappings.
 */
#define PAGEWARDEN_NO_CALLBACKS 1
#include "../lock_calls/lock_calls.bpf.c"
