// exit: SIGABRT
// stderr: pagewarden: free of a pointer that is not a block: arena secrets
// A page of the arena that holds nothing.
#include "case.h"

int main(void) {
  char* volatile secret = tagged_malloc(64);
  free(secret + 32 * 4096);
  return 0;
}
