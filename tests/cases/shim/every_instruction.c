// exit: 0
// A signal at every single instruction of the hooked call, of the arena's fast and
// slow paths and of fork's neighbourhood: a handler that allocates and frees gets
// memory of its own, and one that forks gets a child that goes on, locked.
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "case.h"
#include "preload/pagewarden.h"

/* kSlow: a magazine holds two of them in cases.yaml's arena. kPages: two, filled, as
   laying out a long canary takes thousands of instructions. */
enum { kTrapFlag = 0x100, kHandlerBytes = 40, kSlow = 2000, kPages = 8176, kStride = 16 };

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
    {"realloc elsewhere", 40, 400},
};

static void (*act)(void);
static volatile int step, is_child; /* acts at every kStride'th step */
static int acts;
static long last_instruction;
static unsigned char* handlers_block;
static int locked_in_handler, unlocked_in_handler;

static void allocate_and_free(void) {
  free(handlers_block);
  handlers_block = tagged_malloc(kHandlerBytes);
  CHECK(handlers_block != NULL);
  memset(handlers_block, 0x5a, kHandlerBytes);
  ++*(pagewarden_is_locked(handlers_block) ? &locked_in_handler : &unlocked_in_handler);
}

static void fork_and_wait(void) {
  const pid_t child = fork();
  is_child = child == 0;
  if (is_child) {
    alarm(10); /* no hang is for ever */
    return;
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
  if (step++ % kStride != 0) return;
  ++acts;
  act();
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

static void interrupt_from(const struct operation* op, int first_step) {
  void* held[2] = {tagged_malloc(kSlow), tagged_malloc(kSlow)}; /* the magazine is empty */
  unsigned char* block = op->before != 0 ? tagged_malloc(op->before) : NULL;
  if (op->before == kSlow) free(held[0]), held[0] = NULL; /* and now full */
  if (block != NULL) memset(block, 0x33, op->before);
  step = kStride - first_step;
  block = stepped(op, block);
  if (op->after != 0) check_result(op, block);
  for (int i = 0; handlers_block != NULL && i < kHandlerBytes; ++i)
    CHECK(handlers_block[i] == 0x5a);
  if (op->after != 0) free(block);
  free(held[0]), free(held[1]);
  if (is_child) finish_child();
}

static void interrupt_everywhere(void (*action)(void)) {
  act = action;
  for (size_t i = 0; i < sizeof operations / sizeof operations[0]; ++i) {
    acts = 0;
    for (int first = 0; first < kStride; ++first) interrupt_from(&operations[i], first);
    printf("%s: %d instructions\n", operations[i].name, acts);
    fflush(stdout);
    CHECK(acts > 100);
  }
}

int main(void) {
  struct sigaction action = {0};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO;
  CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
  free(realloc(tagged_malloc(40), 400)); /* binds the functions */
  interrupt_everywhere(allocate_and_free);
  CHECK(locked_in_handler > 0 && unlocked_in_handler > 0);
  free(handlers_block);
  handlers_block = NULL;
  interrupt_everywhere(fork_and_wait);
  return 0;
}
