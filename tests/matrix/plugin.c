/* SPDX-License-Identifier: Apache-2.0 */
/* A plug-in that frees and resizes its host's blocks, and hands out its own. */
#include <stdlib.h>
#include <string.h>

void plugin_free(void* block) { free(block); }
void* plugin_resize(void* block, size_t bytes) { return realloc(block, bytes); }

/* With an allocator of its own, a plug-in must keep its blocks to itself. */
int plugin_works_alone(void) {
  char* block = malloc(100);
  memset(block, 'p', 100);
  block = realloc(block, 100000);
  const int works = block[99] == 'p';
  free(block);
  return works;
}
