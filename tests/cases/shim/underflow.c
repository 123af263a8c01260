// exit: SIGABRT
// stderr: pagewarden: canary damaged: a write went past the end of a block: arena secrets, slot of 80 bytes
// A write before a block hits the trailer of the one below it.
#include "case.h"

int main(void) {
  unsigned char* blocks[8];
  for (int i = 0; i < 8; ++i) blocks[i] = tagged_malloc(64);
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 8; ++j)
      if (blocks[j] + 80 == blocks[i]) {
        blocks[i][-1] ^= 1;
        free(blocks[j]);
      }
  return 0;
}
