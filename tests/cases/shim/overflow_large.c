// exit: SIGABRT
// stderr: pagewarden: canary damaged: a write went past the end of a block: arena secrets, rule tagged, block of 10000 bytes
#include "case.h"

int main(void) {
  unsigned char* secret = tagged_malloc(10000);
  secret[10000] = 0;
  free(secret);
  return 0;
}
