// exit: SIGABRT
// stderr: pagewarden: canary damaged: a write went past the end of a block: secrets
// The classic: room for the letters, none for the zero.
#include "case.h"

int main(void) {
  char* secret = tagged_malloc(8);
  strcpy(secret, "12345678");
  free(secret);
  return 0;
}
