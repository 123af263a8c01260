// exit: 0
// A signal at every single instruction of the hooked call and of the arena's fast and
// slow paths, while another thread wants the arena's lock. The handler forks, and in
// the child allocates and frees; the child then ends what was interrupted. Nothing
// hangs, nothing is given out twice, and what is secret is locked.
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "case.h"
#include "preload/pagewarden.h"

/* kSlow: a magazine holds two of them in cases.yaml's arena. kPages: two, filled, as
   laying out a long canary takes thousands of instructions. */
enum { kTrapFlag = 0x100, kHandlerBytes = 40, kSlow = 2000, kPages = 8176 };

/* From `before` bytes to `after`; 0: there is no block. */
struct operation {
  const char* name;
  size_t before, after;
};

static const struct operation operations[] = {
    {"malloc", 0, 40},
    {"free", 40, 0},
    {"slow malloc", 0, kSlow},
    {"slow free", kSlow, 0},
    {"malloc of pages", 0, kPages},
    {"free of pages", kPages, 0},
    {"realloc in place", 40, 30},
    {"realloc elsewhere", 40, 384},
};

static volatile int stop, is_child;
static int steps;
static long last_instruction;
static unsigned char* handlers_block;

static void* want_the_lock(void* unused) {
  while (!stop) free(tagged_malloc(kPages));
  return unused;
}

static void allocate_and_free(void) {
  free(handlers_block); /* the parent's */
  free(tagged_malloc(kHandlerBytes));
  handlers_block = tagged_malloc(kHandlerBytes);
  CHECK(handlers_block != NULL);
  memset(handlers_block, 0x5a, kHandlerBytes);
}

static void fork_and_wait(void) {
  const pid_t child = fork();
  is_child = child == 0;
  if (is_child) {
    alarm(10); /* no hang is for ever */
    return allocate_and_free();
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* int3 begins and ends the stepping. A repeated instruction traps once a round;
   one of them is enough. */
static void on_trap(int signal, siginfo_t* info, void* data) {
  greg_t* registers = ((ucontext_t*)data)->uc_mcontext.gregs;
  if (info->si_code == SI_KERNEL) {
    if (!is_child) registers[REG_EFL] ^= kTrapFlag;
    return;
  }
  if (registers[REG_RIP] == last_instruction) return;
  last_instruction = registers[REG_RIP];
  ++steps;
  fork_and_wait();
  if (is_child) registers[REG_EFL] &= ~kTrapFlag;
}

static void* stepped(const struct operation* op, unsigned char* block) {
  __asm__ volatile("int3");
  if (op->before == 0)
    block = tagged_malloc(op->after);
  else if (op->after == 0)
    free(block);
  else
    block = realloc(block, op->after);
  __asm__ volatile("int3");
  return block;
}

static void finish_child(void) {
  for (int i = 0; i < 4; ++i) {
    free(tagged_malloc(40));
    free(tagged_malloc(kPages));
  }
  void* fresh = tagged_malloc(40);
  CHECK(pagewarden_is_locked(fresh) && all_zero(fresh, 40));
  _exit(0);
}

static void check_result(const struct operation* op, unsigned char* block) {
  const size_t kept = op->before < op->after ? op->before : op->after;
  CHECK(pagewarden_is_locked(block));
  for (size_t i = 0; i < kept; ++i) CHECK(block[i] == 0x33);
  CHECK(op->before != 0 || all_zero(block, op->after));
  memset(block, 0x44, op->after);
}

static void interrupt_everywhere(const struct operation* op) {
  void* held[2] = {tagged_malloc(kSlow), tagged_malloc(kSlow)}; /* the magazine is empty */
  unsigned char* block = op->before != 0 ? tagged_malloc(op->before) : NULL;
  if (op->before == kSlow) free(held[0]), held[0] = NULL; /* and now full */
  if (block != NULL) memset(block, 0x33, op->before);
  steps = 0;
  block = stepped(op, block);
  if (op->after != 0) check_result(op, block);
  for (int i = 0; i < kHandlerBytes; ++i)
    CHECK(handlers_block[i] == 0x5a);
  if (op->after != 0) free(block);
  free(held[0]), free(held[1]);
  if (is_child) finish_child();
  printf("%s: %d instructions\n", op->name, steps);
  fflush(stdout); /* or the next child would print it again */
  CHECK(steps > 100);
}

int main(void) {
  pthread_t thread;
  struct sigaction action = {0};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO;
  CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
  free(realloc(tagged_malloc(40), 384)); /* binds the functions */
  handlers_block = tagged_malloc(kHandlerBytes);
  memset(handlers_block, 0x5a, kHandlerBytes);
  CHECK(pthread_create(&thread, NULL, want_the_lock, NULL) == 0);
  for (size_t i = 0; i < sizeof operations / sizeof operations[0]; ++i)
    interrupt_everywhere(&operations[i]);
  stop = 1;
  CHECK(pthread_join(thread, NULL) == 0);
  return 0;
}
