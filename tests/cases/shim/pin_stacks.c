// exit: 0
// without: ipc_lock
// memlock: 4194304
// policy: pin_stacks.yaml
// The upper part of each stack is locked, and nothing but that: not below the stack
// that a program gives its thread. Threads start, end and are cancelled as before,
// and the main stack grows past the limit.
#include <pthread.h>
#include <sys/mman.h>

#include "pins.h"

enum { kPinned = 256 << 10, kPage = 4096 };

static void check_main(void) {
  char here;
  CHECK(is_locked(&here) && is_locked(&here - 200 * 1024));
  CHECK(!is_locked((char*)((uintptr_t)&here - kPinned - 2 * kPage)));
}

static void check_growth(void) {
  CHECK(descend(6 << 20) > 0);
  check_main();
}

static void* look(void* argument) {
  volatile char here[kPage] = {1};
  CHECK(is_locked(here) && is_locked(here - 100 * 1024));
  CHECK(pinned_bytes() == (unsigned long)locked_bytes());
  return argument;
}

static void* leave(void* argument) { pthread_exit(look(argument)); }

static void* wait_for_end(void* started) {
  __atomic_store_n((int*)started, 1, __ATOMIC_RELEASE);
  for (;;) pause();
}

static void* join(pthread_t thread) {
  void* result;
  CHECK(pthread_join(thread, &result) == 0);
  return result;
}

static void* run(const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  pthread_t thread;
  CHECK(pthread_create(&thread, attributes, start, argument) == 0);
  return join(thread);
}

static void cancels(void) {
  pthread_t thread;
  int started = 0;
  CHECK(pthread_create(&thread, NULL, wait_for_end, &started) == 0);
  while (!__atomic_load_n(&started, __ATOMIC_ACQUIRE)) usleep(1000);
  CHECK(pthread_cancel(thread) == 0 && join(thread) == PTHREAD_CANCELED);
}

static void* look_small(void* argument) {
  volatile char here = 1;
  CHECK(is_locked(&here));
  CHECK(!is_locked(argument));
  return argument;
}

/* No guard: what lies below such a stack is somebody else's. */
static void given_stack(void) {
  enum { kStack = 64 << 10 };
  pthread_attr_t attributes;
  char* memory = mmap(NULL, 2 * kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstack(&attributes, memory + kStack, kStack) == 0);
  CHECK(run(&attributes, look_small, memory + kStack - 1) == memory + kStack - 1);
  CHECK(pthread_attr_destroy(&attributes) == 0);
}

static void* nothing(void* argument) { return argument; }

static void smallest_stack(void) {
  pthread_attr_t attributes;
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstacksize(&attributes, 16384) == 0);
  CHECK(run(&attributes, nothing, &attributes) == &attributes);
}

int main(void) {
  check_main();
  in_child(check_main);
  in_child(check_growth);
  for (int i = 0; i < 200; ++i) {
    CHECK(run(NULL, look, &i) == &i);
    CHECK(run(NULL, leave, &i) == &i);
  }
  cancels();
  given_stack();
  smallest_stack();
  check_growth();
  return 0;
}
