// exit: SIGABRT
// stderr: pagewarden: free inside a block: arena secrets, rule tagged, block of 64 bytes
#include "case.h"

int main(void) {
  char* volatile secret = tagged_malloc(64);
  free(secret + 16);
  return 0;
}
