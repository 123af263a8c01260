// SPDX-License-Identifier: Apache-2.0
// A peer: one allocator for secrets, as the benchmark sees it. A type with
// static functions, so that nothing stands between the loop and the allocator:
//
//   static bool Start(size_t secrets);  // make room for so many; false: cannot
//   static void* Allocate(size_t bytes);
//   static void Free(void* secret, size_t bytes);  // wiped afterwards
//   static void Inside(void (*body)(void*), void* data);  // calls body(data)
//
// Each peers/NAME.cc defines one and becomes a program of its own: no library
// is in the process of another.
#pragma once

#include <stddef.h>

namespace pagewarden::bench {

inline constexpr size_t kSecretBytes = 64;

// What most peers need not say.
struct PeerDefaults {
  static bool Start(size_t) { return true; }
  static void Inside(void (*body)(void*), void* data) { body(data); }
};

}  // namespace pagewarden::bench
