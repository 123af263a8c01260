// exit: 0
// policy: cases.yaml other_program.yaml
// The program's own fork handlers allocate secrets, with a policy's arena and with
// the one that the first call makes: nothing hangs, and all of them are locked.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "preload/pagewarden.h"

static void* from_prepare;
static void* from_child;

static void prepare(void) { from_prepare = pagewarden_alloc(NULL, 9000); }
static void in_child(void) { from_child = pagewarden_alloc(NULL, 9000); }

int main(void) {
  alarm(10); /* no hang is for ever */
  CHECK(pthread_atfork(prepare, NULL, in_child) == 0);
  void* key = pagewarden_alloc(NULL, 40);
  CHECK(is_fenced(key));
  const pid_t child = fork();
  CHECK(is_fenced(key) && is_fenced(from_prepare));
  if (child == 0) {
    alarm(10);
    CHECK(is_fenced(from_child) && is_fenced(pagewarden_alloc(NULL, 40)));
    struct pagewarden_usage usage;
    CHECK(pagewarden_query(NULL, &usage) == 0);
    CHECK(usage.fallbacks == 0 && usage.locked_bytes == usage.capacity_bytes);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  return 0;
}
