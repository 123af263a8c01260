/* SPDX-License-Identifier: Apache-2.0 */
/* Thread-specific secrets, freed by destructors, among them one that comes
   back in every round; then a thread that ends with blocks that others free. */
#include <pthread.h>

#include "core_check.h"

static pthread_key_t first, last, returning;
static int destroyed = 0;

static void destroy(void* block) {
  CHECK(is_fenced(block) && holds_secret(block, 64));
  free(block);
  CHECK(all_zero(block, 64));
  __atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
}

/* POSIX calls it again as long as it sets a value: PTHREAD_DESTRUCTOR_ITERATIONS
   times at least, at the very end of the thread. */
static void destroy_and_return(void* block) {
  destroy(block);
  pthread_setspecific(returning, new_secret(64));
}

static void* thread(void* keep) {
  pthread_setspecific(first, new_secret(64));
  pthread_setspecific(returning, new_secret(64));
  pthread_setspecific(last, new_secret(64));
  return new_secret(200);
}

int main(void) {
  enum { kRounds = 20 };
  CHECK(pthread_key_create(&first, destroy) == 0);
  CHECK(pthread_key_create(&returning, destroy_and_return) == 0);
  CHECK(pthread_key_create(&last, destroy) == 0);
  for (int i = 0; i < kRounds; ++i) {
    pthread_t id;
    void* left;
    CHECK(pthread_create(&id, NULL, thread, NULL) == 0 && pthread_join(id, &left) == 0);
    CHECK(is_fenced(left) && holds_secret(left, 200));
    free(left);
    CHECK(all_zero(left, 200));
  }
  CHECK(destroyed >= kRounds * 3);
  core_check();
  return core_done();
}
