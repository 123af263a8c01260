// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/openssl_memory.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace pagewarden {
namespace {

constexpr size_t kSecureBytes = 256 << 10;
constexpr int kSmallestBlock = 64;

// In front of each block. malloc_usable_size cannot be asked before the constructors have
// run: that of tcmalloc answers 0 then.
struct alignas(std::max_align_t) BlockHeader {
  size_t bytes;
};

void* Allocate(size_t bytes, const char*, int) {
  if (bytes > SIZE_MAX - sizeof(BlockHeader)) return nullptr;
  auto* const header = static_cast<BlockHeader*>(malloc(sizeof(BlockHeader) + bytes));
  if (header == nullptr) return nullptr;
  header->bytes = bytes;
  return header + 1;
}

void WipeAndFree(void* block, const char*, int) {
  if (block == nullptr) return;
  BlockHeader* const header = static_cast<BlockHeader*>(block) - 1;
  OPENSSL_cleanse(block, header->bytes);
  free(header);
}

// realloc(3) would leave the old block's bytes behind.
void* Reallocate(void* block, size_t bytes, const char* file, int line) {
  if (bytes == 0) {
    WipeAndFree(block, file, line);
    return nullptr;
  }
  void* const moved = Allocate(bytes, file, line);
  if (moved == nullptr || block == nullptr) return moved;
  memcpy(moved, block, std::min(bytes, (static_cast<BlockHeader*>(block) - 1)->bytes));
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
