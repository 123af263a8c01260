// SPDX-License-Identifier: Apache-2.0
// exit: 0
// policy: scrub_stack.yaml
// A fiber, a signal handler and a thread whose stack is an array on the stack: what lies
// below it is alive, and stays.
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "case.h"

enum { kBytes = 8192, kStack = 8 << 10, kThreadStack = 16 << 10 };  /* 16 KiB are zeroed */

static ucontext_t main_context, fiber_context;
static int sum;

static void nothing(void* unused) {}

static void use_extent(void) {
  tagged(nothing, NULL);
  free(malloc(100));
  free(malloc(10));
}

static void run_in_fiber(int a, int b, int c, int d, int e) {
  sum = a + b + c + d + e;
  use_extent();
}

static void enter_fiber(void) { CHECK(swapcontext(&main_context, &fiber_context) == 0); }

static void handle(int signal) { use_extent(); }

static void raise_signal(void) { CHECK(raise(SIGUSR1) == 0); }

static void* run_in_thread(void* argument) {
  use_extent();
  return argument;
}

static pthread_attr_t attributes;

static void start_thread(void) {
  pthread_t thread;
  CHECK(pthread_create(&thread, &attributes, run_in_thread, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
}

static __attribute__((noinline)) void keeps_frame_across(void (*call)(void)) {
  volatile unsigned char frame[kBytes];
  for (int i = 0; i < kBytes; ++i) frame[i] = 0xaa;
  call();
  for (int i = 0; i < kBytes; ++i) CHECK(frame[i] == 0xaa);
}

static __attribute__((noinline)) void in_thread(void) {
  char stack[kThreadStack] __attribute__((aligned(4096)));
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstack(&attributes, stack, sizeof stack) == 0);
  keeps_frame_across(start_thread);
}

static __attribute__((noinline)) void in_handler(void) {
  char stack[kStack];
  const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  const stack_t none = {.ss_flags = SS_DISABLE};
  const struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
  CHECK(sigaltstack(&alternate, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
  keeps_frame_across(raise_signal);
  CHECK(sigaltstack(&none, NULL) == 0);
}

static __attribute__((noinline)) void in_fiber(void) {
  char stack[kStack];
  CHECK(getcontext(&fiber_context) == 0);
  fiber_context.uc_stack.ss_sp = stack;
  fiber_context.uc_stack.ss_size = sizeof stack;
  fiber_context.uc_link = &main_context;
  makecontext(&fiber_context, (void (*)(void))run_in_fiber, 5, 1, 2, 3, 4, 5);
  keeps_frame_across(enter_fiber);
  CHECK(sum == 15);
}

int main(void) {
  in_thread();
  if (fork() == 0) {
    in_handler();
    return 0;
  }
  int status;
  CHECK(wait(&status) > 0 && status == 0);
  in_fiber();
  return 0;
}
