// exit: 0
// An extent that is left by longjmp is over.
#include <setjmp.h>

#include "case.h"

static jmp_buf out;

static void body(void* secret) {
  *(void**)secret = malloc(32);
  longjmp(out, 1);
}

int main(void) {
  static void* secret;
  if (setjmp(out) == 0) tagged(body, &secret);
  void* plain = malloc(32);
  CHECK(is_fenced(secret) && !is_fenced(plain));
  free(secret), free(plain);
  return 0;
}
