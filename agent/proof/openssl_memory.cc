// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/openssl_memory.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace pagewarden {
namespace {

constexpr size_t kSecureBytes = 1 << 20;
constexpr int kSmallestBlock = 64;
constexpr int kLockedInFull = 1;  // of CRYPTO_secure_malloc_init; 2: somehow

// Blocks come from OpenSSL's locked heap. Without it CRYPTO_secure_malloc would call Allocate.
std::atomic<bool> is_locked{false};
bool UsesLockedHeap() { return is_locked && CRYPTO_secure_malloc_initialized() != 0; }

// In front of each block of the ordinary heap. malloc_usable_size cannot be asked before the
// constructors have run: that of tcmalloc answers 0 then.
struct alignas(std::max_align_t) BlockHeader {
  size_t bytes;
};

size_t SizeOf(void* block) {
  if (CRYPTO_secure_allocated(block) != 0) return CRYPTO_secure_actual_size(block);
  return (static_cast<BlockHeader*>(block) - 1)->bytes;
}

void* Allocate(size_t bytes, const char* file, int line) {
  if (UsesLockedHeap()) return CRYPTO_secure_malloc(bytes, file, line);
  if (bytes > SIZE_MAX - sizeof(BlockHeader)) return nullptr;
  auto* const header = static_cast<BlockHeader*>(malloc(sizeof(BlockHeader) + bytes));
  if (header == nullptr) return nullptr;
  header->bytes = bytes;
  return header + 1;
}

void WipeAndFree(void* block, const char* file, int line) {
  if (block == nullptr) return;
  if (CRYPTO_secure_allocated(block) != 0) return CRYPTO_secure_free(block, file, line);
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
  memcpy(moved, block, std::min(bytes, SizeOf(block)));
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
  if (in_force != WipeAndFree) return false;
  const int made = CRYPTO_secure_malloc_init(kSecureBytes, kSmallestBlock);
  is_locked = made != 0;
  return made == kLockedInFull;
}

}  // namespace pagewarden
