/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps passphrases in secret memory, with the key derived from each.

     printf 'correct horse battery staple\n' | keyring

   reads one passphrase a line and says where they went. `keyring hold` keeps them
   until it is ended, to be looked at with `pagewarden audit --pid` and
   `pagewarden verify --secret-text-file`.

   The same source works in three ways: linked with -lpagewarden, started with
   `pagewarden run --policy keyring.yaml -- keyring`, and with neither. In the third
   it uses plain memory, and says so. */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pagewarden.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kLongestLine = 1024, kSaltBytes = 16, kKeyBytes = 32, kRounds = 1000 };

/* NULL is the first arena of the policy, or one of 1 MiB where there is no policy. */
static const char* const kArena = NULL;

struct entry {
  struct entry* next;
  unsigned char salt[kSaltBytes];
  unsigned char key[kKeyBytes];
  char passphrase[];
};

static void* secret_alloc(size_t bytes) {
  return pagewarden_present() ? pagewarden_alloc(kArena, bytes) : calloc(1, bytes);
}

static void secret_free(void* block, size_t bytes) {
  if (pagewarden_present()) {
    pagewarden_free(block);
  } else {
    explicit_bzero(block, bytes);
    free(block);
  }
}

static size_t entry_bytes(const char* passphrase) {
  return sizeof(struct entry) + strlen(passphrase) + 1;
}

static int pbkdf2(const char* passphrase, const unsigned char* salt, unsigned char* key) {
  return PKCS5_PBKDF2_HMAC(passphrase, -1, salt, kSaltBytes, kRounds, EVP_sha256(), kKeyBytes,
                           key) == 1;
}

/* What libcrypto sets up at its first call stays, thousands of blocks without a
   secret: let it be done before anything is asked to come from the arena. */
static int warm_up(void) {
  unsigned char nothing[kSaltBytes] = {0}, key[kKeyBytes];
  return pbkdf2("", nothing, key);
}

/* libcrypto copies the passphrase and keeps state derived from it while it works.
   Between begin and end, that is in secret memory too. */
static int derive_key(struct entry* entry) {
  if (RAND_bytes(entry->salt, kSaltBytes) != 1) return 0;
  if (pagewarden_present() && pagewarden_begin(kArena) != 0) return 0;
  const int derived = pbkdf2(entry->passphrase, entry->salt, entry->key);
  if (pagewarden_present()) pagewarden_end();
  return derived;
}

static int add(struct entry** keyring, const char* passphrase) {
  struct entry* entry = secret_alloc(entry_bytes(passphrase));
  if (entry == NULL) return 0;
  strcpy(entry->passphrase, passphrase);
  entry->next = *keyring;
  *keyring = entry;
  return derive_key(entry);
}

static void clear(struct entry** keyring) {
  while (*keyring != NULL) {
    struct entry* entry = *keyring;
    *keyring = entry->next;
    secret_free(entry, entry_bytes(entry->passphrase));
  }
}

/* By read(2): stdio would keep a copy of its own in ordinary memory. */
static int read_lines(struct entry** keyring) {
  char* buffer = secret_alloc(kLongestLine);
  size_t held = 0;
  ssize_t got = 0;
  int ok = buffer != NULL;
  while (ok && (got = read(STDIN_FILENO, buffer + held, kLongestLine - held)) > 0) {
    held += (size_t)got;
    for (char* end; ok && (end = memchr(buffer, '\n', held)) != NULL;) {
      const size_t line = (size_t)(end - buffer) + 1;
      *end = '\0';
      ok = add(keyring, buffer);
      held -= line;
      memmove(buffer, buffer + line, held);
    }
    ok = ok && held < kLongestLine;
  }
  if (buffer != NULL) secret_free(buffer, kLongestLine);
  return ok && got == 0;
}

static void report(void) {
  struct pagewarden_usage usage;
  if (!pagewarden_present()) {
    puts("plain memory: pagewarden is not here");
  } else if (pagewarden_query(kArena, &usage) != 0) {
    puts("plain memory: pagewarden has no arena here");
  } else {
    printf("secret memory: %zu of %zu bytes are locked, %zu blocks use %zu, %zu are elsewhere\n",
           usage.locked_bytes, usage.capacity_bytes, usage.live_allocations, usage.used_bytes,
           usage.fallbacks);
  }
  fflush(stdout);
}

int main(int count, char** arguments) {
  struct entry* keyring = NULL;
  const int complete = warm_up() && read_lines(&keyring);
  if (!complete) fputs("keyring: cannot keep every passphrase\n", stderr);
  report();
  if (count > 1 && strcmp(arguments[1], "hold") == 0) pause();
  clear(&keyring);
  return complete ? EXIT_SUCCESS : EXIT_FAILURE;
}
