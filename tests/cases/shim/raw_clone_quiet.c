// exit: 0
// policy: cases.yaml fork_exclude.yaml secret_memory.yaml secret_exclude.yaml
// A raw clone's child that never leaves the fast path: it is noticed all the same
// that nothing is locked there, and each block that is not counts.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "preload/pagewarden.h"

static unsigned char* inherited;

static size_t fallbacks(void) {
  struct pagewarden_usage usage;
  CHECK(pagewarden_query(NULL, &usage) == 0);
  return usage.fallbacks;
}

static void allocates_fast(void) {
  for (int i = 0; i < 1000; ++i) {
    unsigned char* fresh = tagged_malloc(40);
    CHECK(!pagewarden_is_locked(fresh) && !has_flag(i == 0 ? fresh : NULL, " lo"));
    memset(fresh, 1, 40);
    free(fresh);
  }
  CHECK(fallbacks() == 1000);
}

static void allocates_slowly(void) {
  unsigned char* fresh = tagged_malloc(3000);
  CHECK(!pagewarden_is_locked(fresh) && !has_flag(fresh, " lo") && fallbacks() == 1);
  memset(fresh, 1, 3000);
  free(fresh);
}

static void frees(void) {
  free(inherited);
  CHECK(!pagewarden_is_locked(inherited));
}

static void in_raw_child(void (*body)(void)) {
  const long child = syscall(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0);
  if (child == 0) {
    body();
    _exit(0);
  }
  int status;
  CHECK(waitpid((pid_t)child, &status, 0) == child && status == 0);
}

int main(void) {
  inherited = tagged_malloc(40);
  free(tagged_malloc(40));
  tagged_malloc(500);
  CHECK(pagewarden_is_locked(inherited) && fallbacks() == 0);
  in_raw_child(allocates_fast);
  in_raw_child(allocates_slowly);
  in_raw_child(frees);
  CHECK(is_fenced(inherited) && fallbacks() == 0);
  return 0;
}
