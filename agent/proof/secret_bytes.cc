// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/secret_bytes.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <atomic>
#include <new>

#include "preload/base/registers.h"

namespace pagewarden {
namespace {

constexpr size_t kDeadStackBytes = 256 << 10;

std::atomic<bool> must_be_locked{false};

}  // namespace

void* AllocateSecretPages(size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  const bool is_locked = mlock(pages, bytes) == 0;
  if (madvise(pages, bytes, MADV_DONTDUMP) != 0 || (!is_locked && must_be_locked)) {
    munmap(pages, bytes);
    throw std::bad_alloc();
  }
  return pages;
}

void RequireLockedPages() { must_be_locked = true; }

void WipeAndFreeSecretPages(void* pages, size_t bytes) noexcept {
  OPENSSL_cleanse(pages, bytes);
  munmap(pages, bytes);
}

[[gnu::noinline]] void WipeDeadStack() {
  DetectVectorRegisters();
  WipeVectorRegisters();
  unsigned char dead[kDeadStackBytes];
  OPENSSL_cleanse(dead, sizeof(dead));
}

}  // namespace pagewarden
