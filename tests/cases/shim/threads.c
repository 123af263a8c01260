// exit: 0
// libc: musl
// Four threads allocate, check, resize and free secrets; main forks meanwhile.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"

static void churn(void* seed) {
  unsigned state = (unsigned)(uintptr_t)seed;
  unsigned char* held[32] = {0};
  size_t size[32] = {0};
  for (int i = 0; i < 20000; ++i) {
    const int k = (state = state * 1103515245 + 12345) >> 16 & 31;
    if (held[k] != NULL) {
      for (size_t b = 0; b < size[k]; ++b) CHECK(held[k][b] == (unsigned char)k);
      if (i % 3 == 0) {
        const size_t n = 1 + (state >> 8) % 200;
        held[k] = realloc(held[k], n);
        memset(held[k], k, size[k] = n);
        continue;
      }
      free(held[k]);
    }
    held[k] = malloc(size[k] = 1 + (state >> 20) % 700);
    memset(held[k], k, size[k]);
  }
  for (int k = 0; k < 32; ++k) free(held[k]);
}

static void* thread(void* seed) {
  tagged(churn, seed);
  return NULL;
}

int main(void) {
  pthread_t threads[4];
  for (uintptr_t i = 0; i < 4; ++i)
    CHECK(pthread_create(&threads[i], NULL, thread, (void*)(i + 1)) == 0);
  for (int i = 0; i < 10; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      char* secret = tagged_malloc(64);
      CHECK(is_fenced(secret));
      free(secret);
      _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
  }
  for (int i = 0; i < 4; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  return 0;
}
