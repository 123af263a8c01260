// SPDX-License-Identifier: Apache-2.0
// exit: 0
// policy: pin_stacks.yaml pin_environment.yaml pin_process.yaml cases.yaml
// What the C library says of the main stack, which interpreters go by, is as without
// pins (cases.yaml has none), and can be used; of a thread's, it is left alone.
#include <pthread.h>
#include <sys/resource.h>

#include "pins.h"

enum { kMostLost = 256 << 10 };  /* arguments, environment and rounding */

static size_t stack_bytes(void) {
  pthread_attr_t attributes;
  void* lowest;
  size_t bytes;
  char here;
  CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0);
  CHECK(pthread_attr_getstack(&attributes, &lowest, &bytes) == 0);
  CHECK(&here > (char*)lowest && &here < (char*)lowest + bytes);
  CHECK(pthread_attr_destroy(&attributes) == 0);
  return bytes;
}

static void* check_thread(void* attributes) {
  size_t wanted;
  CHECK(pthread_attr_getstacksize(attributes, &wanted) == 0 && stack_bytes() == wanted);
  return NULL;
}

int main(void) {
  struct rlimit limit;
  pthread_attr_t attributes;
  pthread_t thread;
  CHECK(getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY);
  const size_t bytes = stack_bytes();
  CHECK(bytes <= limit.rlim_cur && bytes > limit.rlim_cur - kMostLost);
  CHECK(descend(limit.rlim_cur - 2 * kMostLost) > 0);
  CHECK(stack_bytes() == bytes);
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstacksize(&attributes, 1 << 20) == 0);
  CHECK(pthread_create(&thread, &attributes, check_thread, &attributes) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  return 0;
}
