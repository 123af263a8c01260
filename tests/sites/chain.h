/* SPDX-License-Identifier: Apache-2.0 */
/* A chain of calls with frames of every kind in it, of which there are several builds. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Calls visit(data) at its innermost end. */
typedef int (*visit_function)(void* data);
typedef int (*chain_function)(int depth, visit_function visit, void* data);

int chain_O0_c(int, visit_function, void*);
int chain_O2_c(int, visit_function, void*);
int chain_omitted_c(int, visit_function, void*);
int chain_kept_c(int, visit_function, void*);
int chain_size_c(int, visit_function, void*);
int chain_O0_cc(int, visit_function, void*);
int chain_O2_cc(int, visit_function, void*);
int chain_omitted_cc(int, visit_function, void*);
int chain_kept_cc(int, visit_function, void*);
int chain_size_cc(int, visit_function, void*);

#ifdef __cplusplus
}
#endif
