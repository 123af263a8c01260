// exit: SIGABRT
// stderr: pagewarden: canary damaged: a write went past the end of a block: arena secrets, rule tagged, block of 8 bytes
// The classic: room for the letters, none for the zero.
#include "case.h"

int main(void) {
  char* secret = tagged_malloc(8);
  strcpy(secret, "12345678");
  free(secret);
  return 0;
}
