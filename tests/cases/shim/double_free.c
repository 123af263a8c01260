// exit: SIGABRT
// stderr: pagewarden: double free: arena secrets, slot of 80 bytes
#include "case.h"

int main(void) {
  void* volatile secret = tagged_malloc(64);
  free(secret);
  free(secret);
  return 0;
}
