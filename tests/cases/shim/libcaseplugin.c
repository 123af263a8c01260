/* SPDX-License-Identifier: Apache-2.0 */
/* In a folder that only the opener's RUNPATH names. */
#include <stdlib.h>

char plugin_data[20000];

void* plugin_malloc(size_t bytes) { return malloc(bytes); }
void plugin_free(void* block) { free(block); }
void* plugin_malloc_address(void) { return (void*)malloc; }
