// exit: 0
// policy: scrub_stack.yaml
// What a hooked function leaves on the dead stack is zeroed at the next allocation
// after it, in threads too, and never beyond the end of the stack.
#include <pthread.h>

#include "case.h"

enum { kBytes = 4096, kScanned = 12 << 10, kStack = 64 << 10 };

static void leave_secret(void* unused) {
  volatile unsigned char local[kBytes];
  for (int i = 0; i < kBytes; ++i) local[i] = 0xa5;
  free(malloc(32));
}

/* Bytes of the longest piece of the secret below this frame. */
static __attribute__((noinline)) int remains(void) {
  volatile unsigned char here = 0;
  int run = 0, longest = 0;
  for (volatile unsigned char* p = &here - kScanned; p < &here; ++p) {
    run = *p == 0xa5 ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  return longest;
}

static void check(void) {
  leave_secret(NULL);
  free(malloc(1));
  CHECK(remains() > kBytes / 2);  /* the control: untagged, it stays */
  tagged(leave_secret, NULL);
  free(malloc(1));
  CHECK(remains() <= 8);  /* a hole of a word in a frame of malloc itself, which is live then */
}

static void* in_thread(void* argument) {
  check();
  return argument;
}

/* Ends with about this much of the stack left. */
static __attribute__((noinline)) int descend_to(char* lowest, long left) {
  volatile char frame[512] = {1};
  if ((char*)frame - lowest > left) return descend_to(lowest, left) + frame[0];
  tagged(leave_secret, NULL);
  free(malloc(1));
  return frame[0];
}

static void* near_the_end(void* memory) {
  CHECK(descend_to(memory, 10 << 10) > 0);
  return memory;
}

static void in_given_stack(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  void* result;
  char* memory = malloc(2 * kStack + 4096);
  char* stack = (char*)(((uintptr_t)memory + kStack + 4095) & ~4095ul);
  memset(memory, 0x5a, kStack);
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstack(&attributes, stack, kStack) == 0);
  CHECK(pthread_create(&thread, &attributes, near_the_end, stack) == 0);
  CHECK(pthread_join(thread, &result) == 0 && result == stack);
  for (int i = 0; i < kStack; ++i) CHECK(memory[i] == 0x5a);
  free(memory);
}

int main(void) {
  pthread_t thread;
  check();
  CHECK(pthread_create(&thread, NULL, in_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
  in_given_stack();
  return 0;
}
