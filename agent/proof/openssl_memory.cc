// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/openssl_memory.h"

#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace pagewarden {
namespace {

constexpr size_t kSecureBytes = 256 << 10;
constexpr int kSmallestBlock = 64;

void* Allocate(size_t bytes, const char*, int) { return malloc(bytes); }

void WipeAndFree(void* block, const char*, int) {
  if (block == nullptr) return;
  OPENSSL_cleanse(block, malloc_usable_size(block));
  free(block);
}

// realloc(3) would leave the old block's bytes behind.
void* Reallocate(void* block, size_t bytes, const char* file, int line) {
  if (bytes == 0) {
    WipeAndFree(block, file, line);
    return nullptr;
  }
  void* const moved = malloc(bytes);
  if (moved == nullptr || block == nullptr) return moved;
  memcpy(moved, block, std::min(bytes, malloc_usable_size(block)));
  WipeAndFree(block, file, line);
  return moved;
}

// OpenSSL takes another allocator only before its first allocation, and a library may bring
// that about in a constructor: libcpp-httplib's library has libssl initialized in one.
void BeforeConstructors() { CRYPTO_set_mem_functions(Allocate, Reallocate, WipeAndFree); }

// Runs before the constructors of all libraries, in programs only (gABI, DT_PREINIT_ARRAY).
[[gnu::section(".preinit_array"), gnu::used]] void (*before_constructors)() = BeforeConstructors;

}  // namespace

bool ProtectOpenSslMemory() {
  CRYPTO_free_fn in_force = nullptr;
  CRYPTO_get_mem_functions(nullptr, nullptr, &in_force);
  return in_force == WipeAndFree && CRYPTO_secure_malloc_init(kSecureBytes, kSmallestBlock) != 0;
}

}  // namespace pagewarden
