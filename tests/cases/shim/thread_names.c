// exit: 0
// policy: thread_names.yaml
// A rule that is for threads of certain names follows the names that they are given.
#include <pthread.h>
#include <semaphore.h>
#include <sys/prctl.h>

#include "case.h"

static void name_me(const char* name) { CHECK(prctl(PR_SET_NAME, name) == 0); }

static int tagged_is_fenced(void) {
  void* block = tagged_malloc(64);
  const int fenced = is_fenced(block);
  free(block);
  return fenced;
}

static void* has_the_name_of_its_maker(void* fenced) {
  CHECK(tagged_is_fenced() == (fenced != NULL));
  name_me("other");
  CHECK(!tagged_is_fenced());
  return NULL;
}

static void run(void* (*body)(void*), void* data) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, body, data) == 0 && pthread_join(thread, NULL) == 0);
}

static sem_t go, done;

static void* named_by_another(void* unused) {
  for (int i = 0; i < 4; ++i) {
    sem_wait(&go);
    CHECK(tagged_is_fenced() == i % 2);
    sem_post(&done);
  }
  return NULL;
}

static void name_another(void) {
  pthread_t thread;
  sem_init(&go, 0, 0), sem_init(&done, 0, 0);
  CHECK(pthread_create(&thread, NULL, named_by_another, NULL) == 0);
  for (int i = 0; i < 4; ++i) {
    CHECK(pthread_setname_np(thread, i % 2 ? "keys-1" : "keys-12") == 0);
    sem_post(&go), sem_wait(&done);
  }
  CHECK(pthread_join(thread, NULL) == 0);
}

static int everything_is_fenced(void) {
  void* block = malloc(3000);
  const int fenced = is_fenced(block);
  free(block);
  return fenced;
}

int main(void) {
  CHECK(!tagged_is_fenced() && !everything_is_fenced());
  name_me("crypto");
  CHECK(tagged_is_fenced() && !everything_is_fenced());
  run(has_the_name_of_its_maker, "");
  CHECK(tagged_is_fenced());
  name_me("all");
  CHECK(!tagged_is_fenced() && everything_is_fenced());
  run(has_the_name_of_its_maker, NULL);
  name_another();
  return 0;
}
