/* SPDX-License-Identifier: Apache-2.0 */
/* The usual alloc_secure_memory, written by hand, locks a page for each secret; an
   arena packs them: 1,000 secrets of 64 bytes. */
#include <sys/mman.h>
#include <unistd.h>

#include "case.h"
#include "preload/pagewarden.h"

enum { kSecrets = 1000, kBytes = 64, kPage = 4096 };

static void* alloc_secure_memory(size_t bytes) {
  void* block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(block != MAP_FAILED && mlock(block, bytes) == 0);
  CHECK(madvise(block, bytes, MADV_DONTDUMP) == 0);
  return block;
}

static void* alloc_packed(size_t bytes) { return pagewarden_alloc(NULL, bytes); }

/* A line of /proc/self/smaps, of all mappings together, in bytes. */
static size_t sum_of(const char* field) {
  FILE* maps = fopen("/proc/self/smaps", "r");
  char line[512];
  size_t kibibytes, sum = 0;
  CHECK(maps != NULL);
  while (fgets(line, sizeof line, maps) != NULL)
    if (strncmp(line, field, strlen(field)) == 0 &&
        sscanf(line + strlen(field), " %zu kB", &kibibytes) == 1)
      sum += kibibytes;
  fclose(maps);
  return sum * 1024;
}

/* Resident and locked memory that the secrets cost. */
static size_t cost_of(void* (*alloc)(size_t), void** secrets) {
  const size_t before = sum_of("Locked:");
  for (int i = 0; i < kSecrets; ++i) {
    secrets[i] = alloc(kBytes);
    memset(secrets[i], 's', kBytes);
  }
  CHECK(is_fenced(secrets[0]) && is_fenced(secrets[kSecrets - 1]));
  return sum_of("Locked:") - before;
}

int main(void) {
  static void *by_hand[kSecrets], *packed[kSecrets];
  const size_t hand_bytes = cost_of(alloc_secure_memory, by_hand);
  const size_t packed_bytes = cost_of(alloc_packed, packed);
  printf("%d secrets of %d bytes: %zu bytes locked by hand, %zu packed\n", kSecrets, kBytes,
         hand_bytes, packed_bytes);
  CHECK(hand_bytes == (size_t)kSecrets * kPage);
  CHECK(packed_bytes <= (size_t)kSecrets * 96 && packed_bytes >= (size_t)kSecrets * kBytes);
  for (int i = 0; i < kSecrets; ++i) {
    pagewarden_free(packed[i]);
    CHECK(all_zero(packed[i], kBytes) && munmap(by_hand[i], kBytes) == 0);
  }
  return 0;
}
