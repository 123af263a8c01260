// exit: SIGABRT
// stderr: pagewarden: write to a block that was freed: arena secrets, slot of 80 bytes
// Found when the slot is given out again, if the write reached the slot's end.
#include "case.h"

int main(void) {
  unsigned char* block = tagged_malloc(64);
  free(block);
  memset(block, 0xff, 80);
  for (int i = 0; i < 20; ++i) tagged_malloc(64);
  return 0;
}
