// SPDX-License-Identifier: Apache-2.0
// prctl, which names threads (thread_names.h) and asks for filters (sandbox.h).
#pragma once

extern "C" {
extern int (*real_prctl)(int option, long a, long b, long c, long d);
int intercepted_prctl(int option, long a, long b, long c, long d);
}
