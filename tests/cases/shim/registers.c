// exit: 0
// What a copy leaves in vector registers must not reach the stack in the frame
// of the next signal.
#include <signal.h>

#include "case.h"

enum { kBytes = 4096 };

static void on_signal(int number) { (void)number; }

/* Finds 16 bytes of the secret in this thread's stack, without copying any of
   it there: bytes are compared one by one in the fence. */
static int stack_holds(const unsigned char* secret) {
  unsigned char here;
  int hits = 0;
  for (const volatile unsigned char* p = &here - 65536; p < &here; ++p)
    for (int k = 0; k < kBytes; k += 16) {
      int same = 0;
      while (same < 16 && p[same] == secret[k + same]) ++same;
      if (same == 16) ++hits;
    }
  return hits;
}

static void body(void* out) {
  unsigned char* secret = malloc(kBytes);
  unsigned state = 7;
  for (int i = 0; i < kBytes; ++i) secret[i] = (unsigned char)((state = state * 1103515245 + 12345) >> 16) | 1;
  for (size_t n = 16; n <= kBytes; n *= 2) {
    void* volatile copy = malloc(n);
    memcpy(copy, secret, n);
    free(copy);
  }
  *(unsigned char**)out = secret;
}

int main(void) {
  static unsigned char* secret;
  signal(SIGUSR1, on_signal);
  tagged(body, &secret);
  raise(SIGUSR1);
  CHECK(stack_holds(secret) == 0);
  return 0;
}
