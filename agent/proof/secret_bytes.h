// SPDX-License-Identifier: Apache-2.0
// Bytes of a secret that this program itself must hold: on pages of their own,
// locked as far as RLIMIT_MEMLOCK allows (RequireLockedPages), left out of core dumps, and
// wiped when they are freed, growth of the vector included.
//
//   SecretBytes key(32);
//   FillKey(key.data(), key.size());
#pragma once

#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace pagewarden {

// Whole pages; throws std::bad_alloc.
void* AllocateSecretPages(size_t bytes);
void WipeAndFreeSecretPages(void* pages, size_t bytes) noexcept;

// From now on, pages that cannot be locked are not given: std::bad_alloc.
void RequireLockedPages();

// Overwrites the vector registers, and the stack below the caller's frame as far
// down as key parsing goes: copying leaves key bytes in the former, and the dynamic
// loader spills them to the latter.
void WipeDeadStack();

template <typename T>
struct SecretAllocator {
  using value_type = T;
  SecretAllocator() = default;
  template <typename U>
  SecretAllocator(const SecretAllocator<U>&) {}  // NOLINT: rebinding is implicit

  T* allocate(size_t count) { return static_cast<T*>(AllocateSecretPages(count * sizeof(T))); }
  void deallocate(T* data, size_t count) noexcept {
    WipeAndFreeSecretPages(data, count * sizeof(T));
  }
  bool operator==(const SecretAllocator&) const { return true; }
  bool operator!=(const SecretAllocator&) const { return false; }
};

using SecretBytes = std::vector<unsigned char, SecretAllocator<unsigned char>>;
using ByteView = absl::Span<const unsigned char>;

inline absl::string_view AsText(ByteView bytes) {
  return absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

inline ByteView AsBytes(absl::string_view text) {
  return ByteView(reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

}  // namespace pagewarden
