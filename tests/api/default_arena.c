/* SPDX-License-Identifier: Apache-2.0 */
/* Linked, without a policy: one arena with every protection on. */
#include <errno.h>
#include <malloc.h>

#include "case.h"
#include "preload/pagewarden.h"

enum { kUntouched = 4711, kMebibyte = 1 << 20 };

static void check_block_life(void) {
  errno = kUntouched;
  char* secret = pagewarden_alloc(NULL, 100);
  CHECK(secret != NULL && (uintptr_t)secret % 16 == 0 && all_zero(secret, 100));
  CHECK(is_fenced(secret) && pagewarden_is_locked(secret) == 1);
  strcpy(secret, "secret");

  char* larger = pagewarden_resize(secret, 5000);
  CHECK(larger != NULL && larger != secret && strcmp(larger, "secret") == 0);
  CHECK(all_zero(secret, 100) && is_fenced(larger) && is_fenced(larger + 4999));

  char* smaller = pagewarden_resize(larger, 3);
  CHECK(smaller != NULL && memcmp(smaller, "sec", 3) == 0);
  CHECK(smaller != larger && all_zero(larger, 5000));
  CHECK(malloc_usable_size(smaller) == 3);

  char* empty = pagewarden_resize(smaller, 0);
  CHECK(empty != NULL && pagewarden_is_locked(empty));
  pagewarden_free(empty);
  pagewarden_free(NULL);
  CHECK(all_zero(empty, 3) && errno == kUntouched);
}

/* libc's names accept the blocks too. */
static void check_libc_names(void) {
  char* secret = pagewarden_alloc("default", 40);
  strcpy(secret, "secret");
  secret = realloc(secret, 400);
  CHECK(secret != NULL && is_fenced(secret) && strcmp(secret, "secret") == 0);
  free(secret);
  CHECK(all_zero(secret, 400));
}

static void check_plain(void) {
  void* plain = malloc(64);
  int local = 0;
  CHECK(!has_flag(plain, " lo") && pagewarden_is_locked(plain) == 0);
  CHECK(pagewarden_is_locked(&local) == 0 && pagewarden_is_locked(NULL) == 0);
  free(plain);
}

static void check_usage(void) {
  struct pagewarden_usage before, during, after;
  errno = kUntouched;
  CHECK(pagewarden_query(NULL, &before) == 0);
  CHECK(before.capacity_bytes == kMebibyte && before.locked_bytes == kMebibyte);
  CHECK(before.live_allocations == 0 && before.used_bytes == 0 && before.fallbacks == 0);

  void* secrets[10];
  for (int i = 0; i < 10; ++i) secrets[i] = pagewarden_alloc("default", 64);
  CHECK(pagewarden_query("default", &during) == 0);
  CHECK(during.live_allocations == 10 && during.fallbacks == 0);
  CHECK(during.used_bytes >= 10 * 64 && during.used_bytes <= 10 * 96);

  for (int i = 0; i < 10; ++i) pagewarden_free(secrets[i]);
  CHECK(pagewarden_query(NULL, &after) == 0 && errno == kUntouched);
  CHECK(after.live_allocations == 0 && after.used_bytes == 0);
}

/* The default is to go on, in memory that is counted and says that it is not locked. */
static void check_too_large(void) {
  struct pagewarden_usage usage;
  errno = kUntouched;
  unsigned char* large = pagewarden_alloc(NULL, 2 * kMebibyte);
  CHECK(large != NULL && errno == kUntouched && all_zero(large, 2 * kMebibyte));
  CHECK(pagewarden_is_locked(large) == 0 && !has_flag(large, " lo"));
  CHECK(pagewarden_query(NULL, &usage) == 0 && usage.fallbacks == 1);
  pagewarden_free(large);

  void* secret = pagewarden_alloc(NULL, 64);
  errno = 0;
  CHECK(pagewarden_alloc(NULL, SIZE_MAX) == NULL && errno == ENOMEM);
  errno = 0;
  CHECK(pagewarden_resize(secret, SIZE_MAX) == NULL && errno == ENOMEM);
  CHECK(pagewarden_is_locked(secret));
  pagewarden_free(secret);
}

static void check_refusals(void) {
  struct pagewarden_usage usage;
  errno = 0;
  CHECK(pagewarden_alloc("elsewhere", 64) == NULL && errno == ENOENT);
  errno = 0;
  CHECK(pagewarden_begin("elsewhere") == -1 && errno == ENOENT);
  errno = 0;
  CHECK(pagewarden_query("elsewhere", &usage) == -1 && errno == ENOENT);
  errno = 0;
  CHECK(pagewarden_resize(NULL, 64) == NULL && errno == EINVAL);
}

int main(void) {
  CHECK(pagewarden_present());
  CHECK(pagewarden_is_locked(&main) == 0); /* before there is an arena */
  check_block_life();
  check_libc_names();
  check_plain();
  check_usage();
  check_too_large();
  check_refusals();
  return 0;
}
