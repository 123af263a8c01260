// exit: 0
// policy: all.yaml
// Every allocation up to 4 KiB is fenced, whoever asks for it; larger ones are not.
#include <stdio.h>

#include "case.h"

int main(void) {
  void* block = malloc(64);
  void* copy = strdup("from inside libc");
  void* large = malloc(5000);
  CHECK(is_fenced(block) && is_fenced(copy) && !is_fenced(large));
  void* grown = realloc(malloc(100), 3000);
  CHECK(is_fenced(grown));
  void* aligned = NULL;
  CHECK(posix_memalign(&aligned, 256, 100) == 0 && is_fenced(aligned));
  void* many = calloc(10, 10);
  CHECK(is_fenced(many) && all_zero(many, 100));
  free(many);
  free(aligned);
  free(grown);
  free(large);
  free(copy);
  free(block);
  return 0;
}
