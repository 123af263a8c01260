// exit: SIGABRT
// stderr: pagewarden: canary damaged: a write went past the end of a block: arena secrets, rule tagged, block of 61 bytes
#include "case.h"

int main(void) {
  unsigned char* secret = tagged_malloc(61);
  secret[61] ^= 1;
  free(secret);
  return 0;
}
