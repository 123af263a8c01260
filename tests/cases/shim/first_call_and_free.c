// exit: 0
// policy: other_program.yaml
// Another thread makes the first call, and with it the fence, while this one is at
// any instruction of free(NULL).
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "case.h"
#include "preload/pagewarden.h"

enum { kTrapFlag = 0x100, kMostSteps = 200 };

static volatile int step, steps_wanted, begin, called;

static void* call_first(void* unused) {
  while (!begin) {
  }
  CHECK(pagewarden_alloc(NULL, 8) != NULL);
  called = 1;
  return unused;
}

static void wait_for_first_call(void) {
  begin = 1;
  while (!called) usleep(10);
}

/* int3 begins and ends the stepping. */
static void on_trap(int signal, siginfo_t* info, void* data) {
  greg_t* flags = &((ucontext_t*)data)->uc_mcontext.gregs[REG_EFL];
  if (info->si_code == SI_KERNEL) {
    *flags ^= steps_wanted > step ? kTrapFlag : 0;
  } else if (++step == steps_wanted) {
    *flags &= ~kTrapFlag;
    wait_for_first_call();
  }
}

static void free_in_steps(void) {
  pthread_t thread;
  alarm(10); /* no hang is for ever */
  CHECK(pthread_create(&thread, NULL, call_first, NULL) == 0);
  __asm__ volatile("int3");
  free(NULL);
  __asm__ volatile("int3");
  if (!begin) wait_for_first_call();
  CHECK(pthread_join(thread, NULL) == 0);
}

/* In a process of its own: a first call cannot be repeated. */
static int interrupt_at(int at) {
  int status;
  const pid_t child = fork();
  if (child == 0) {
    steps_wanted = at;
    free_in_steps();
    _exit(step < at ? 2 : 0);
  }
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2);
  return WEXITSTATUS(status) == 0;
}

int main(void) {
  struct sigaction action = {0};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO;
  CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
  free(NULL);
  int at = 1;
  while (interrupt_at(at)) CHECK(++at < kMostSteps);
  printf("%d instructions\n", at - 1);
  CHECK(at > 3);
  return 0;
}
