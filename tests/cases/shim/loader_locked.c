// exit: 0
// policy: pin_mappings.yaml loader_locked.yaml
// A thread of the program holds the loader's lock and waits for another, and a child that
// is forked meanwhile has the lock held for ever: what takes no such lock without the
// shim takes none with it.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

#include "pins.h"

enum { kSeconds = 5, kBytes = 4096 };

static sem_t held, done;
static void* (*user_malloc)(size_t);

static int wait_until_done(struct dl_phdr_info* info, size_t bytes, void* data) {
  CHECK(sem_post(&held) == 0 && sem_wait(&done) == 0);
  return 1;
}

static void* hold_the_lock(void* data) {
  dl_iterate_phdr(wait_until_done, NULL);
  return NULL;
}

static void reload(void) {
  void* plugin = dlopen("libcaseplugin2.so", RTLD_NOW);
  CHECK(plugin != NULL && dlclose(plugin) == 0);
  void* user = dlopen("libcaseuser.so", RTLD_NOW);
  CHECK(user != NULL);
  user_malloc = dlsym(user, "user_malloc");
}

static void map_and_allocate(void) {
  void* p = mmap(NULL, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(p != MAP_FAILED && munmap(p, kBytes) == 0);
  free(malloc(64));
  FILE* file = fopen("/dev/null", "r");
  CHECK(file != NULL && fclose(file) == 0);
}

static void in_the_child(void) {
  alarm(kSeconds);
  free(calloc(1, 64));  /* a call site of its own */
  map_and_allocate();
  free(user_malloc(64));
  CHECK(dlopen("libcaseuser.so", RTLD_NOW | RTLD_NOLOAD) != NULL);
  free(user_malloc(64));
}

int main(void) {
  pthread_t thread;
  reload();
  CHECK(sem_init(&held, 0, 0) == 0 && sem_init(&done, 0, 0) == 0);
  CHECK(pthread_create(&thread, NULL, hold_the_lock, NULL) == 0 && sem_wait(&held) == 0);
  in_child(in_the_child);
  alarm(kSeconds);
  map_and_allocate();
  CHECK(sem_post(&done) == 0 && pthread_join(thread, NULL) == 0);
  return 0;
}
