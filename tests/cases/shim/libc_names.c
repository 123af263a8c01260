// exit: 0
// The second and historic names of free and realloc take fenced and plain
// blocks alike.
#include <dlfcn.h>

#include "case.h"

void __libc_free(void*);
void* __libc_realloc(void*, size_t);

static void fill(void* data) { *(void**)data = malloc(64); }

static void* fenced_block(void) {
  void* block = NULL;
  tagged(fill, &block);
  CHECK(is_fenced(block));
  return block;
}

static void check_realloc(void) {
  char* plain = memset(malloc(64), 0x5a, 64);
  plain = __libc_realloc(plain, 4096);
  CHECK(plain != NULL && !is_fenced(plain) && plain[63] == 0x5a);
  __libc_free(plain);
  char* secret = memset(fenced_block(), 0x5a, 64);
  secret = __libc_realloc(secret, 4096);
  CHECK(secret != NULL && is_fenced(secret) && secret[63] == 0x5a);
  CHECK(__libc_realloc(secret, 0) == NULL && all_zero(secret, 64));
  CHECK((plain = __libc_realloc(NULL, 64)) != NULL && !is_fenced(plain));
  free(plain);
}

static void check_free(void (*release)(void*)) {
  CHECK(release != NULL);
  release(malloc(64));
  release(NULL);
  char* secret = memset(fenced_block(), 0x5a, 64);
  release(secret);
  CHECK(all_zero(secret, 64));
}

/* The C23 pair's extra arguments are the block's size and alignment. */
static void (*sized)(void*, size_t, size_t);
static void free_with_sizes(void* block) { sized(block, 64, 64); }

int main(void) {
  check_free(__libc_free);
  check_free((void (*)(void*))dlsym(RTLD_DEFAULT, "cfree"));
  sized = (void (*)(void*, size_t, size_t))dlsym(RTLD_DEFAULT, "free_sized");
  check_free(free_with_sizes);
  sized = (void (*)(void*, size_t, size_t))dlsym(RTLD_DEFAULT, "free_aligned_sized");
  check_free(free_with_sizes);
  check_realloc();
  return 0;
}
