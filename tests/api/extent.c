/* SPDX-License-Identifier: Apache-2.0 */
/* Between begin and end, what this thread allocates is secret, in libraries too. */
#include <errno.h>
#include <pthread.h>

#include "case.h"
#include "preload/pagewarden.h"

enum { kUntouched = 4711, kDeepest = 9 };

static void* allocate(void* unused) {
  (void)unused;
  return malloc(64);
}

static void check_libraries(void) {
  void* before = malloc(64);
  errno = kUntouched;
  CHECK(pagewarden_begin(NULL) == 0);
  char* copy = strdup("secret");
  char* line = NULL;
  CHECK(asprintf(&line, "pass%s", "word") == 8);
  before = realloc(before, 100); /* moves in */
  pagewarden_end();
  CHECK(errno == kUntouched);
  void* after = malloc(64);
  CHECK(is_fenced(copy) && is_fenced(line) && is_fenced(before) && !has_flag(after, " lo"));
  copy = realloc(copy, 2000); /* and stays in */
  CHECK(is_fenced(copy) && strcmp(copy, "secret") == 0);
  free(copy), free(line), free(before), free(after);
}

static int is_tagged(void) {
  void* block = malloc(64);
  const int tagged = pagewarden_is_locked(block);
  free(block);
  return tagged;
}

static void check_nesting(void) {
  for (int depth = 0; depth < kDeepest; ++depth) CHECK(pagewarden_begin(NULL) == 0);
  errno = 0;
  CHECK(pagewarden_begin(NULL) == -1 && errno == ENOSPC && is_tagged());
  for (int depth = 0; depth < kDeepest; ++depth) {
    CHECK(is_tagged());
    pagewarden_end();
  }
  CHECK(!is_tagged());
  pagewarden_end(); /* of nothing */
  CHECK(!is_tagged() && pagewarden_begin(NULL) == 0 && is_tagged());
  pagewarden_end();
}

static void check_other_threads(void) {
  pthread_t thread;
  void* block;
  CHECK(pthread_create(&thread, NULL, allocate, NULL) == 0);
  CHECK(pthread_join(thread, &block) == 0);
  free(block); /* now the thread's own tables are made */
  CHECK(pagewarden_begin(NULL) == 0);
  CHECK(pthread_create(&thread, NULL, allocate, NULL) == 0);
  CHECK(pthread_join(thread, &block) == 0);
  pagewarden_end();
  CHECK(!pagewarden_is_locked(block));
  free(block);
}

int main(void) {
  check_libraries();
  check_nesting();
  check_other_threads();
  return 0;
}
