// SPDX-License-Identifier: Apache-2.0
// A live image: a file in which one policy image (policy_image.h) after the other is put
// in force, and that processes map once, read-only and shared, before main.
//
//   header | image | image | … | hole up to window_bytes
//
// An image never changes once it was in force. Publishing writes the new one behind the
// others and then stores one word, `current`: a publisher that is killed meanwhile has
// changed nothing. A reader compares that word with what it has seen last, needs no system
// call for it, and checks an image in full before it takes it.
//
// When the window is full, another file takes the place of this one at its path. The
// processes that map this one keep what is in force, and are told that nothing follows.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden::abi {

inline constexpr char kLiveMagic[8] = {'P', 'W', 'L', 'I', 'V', 'E', 'I', 'M'};
inline constexpr uint32_t kLiveImageVersion = 1;
inline constexpr uint64_t kMinLiveBytes = 512u << 10;
inline constexpr uint64_t kMaxLiveBytes = 64u << 20;

// Images begin at multiples of it.
inline constexpr uint64_t kLiveUnit = 64;

// In the place of an image: nothing follows in this file.
inline constexpr uint32_t kLiveClosed = UINT32_MAX;

struct LiveImageHeader {
  char magic[8];
  uint32_t version;
  uint32_t reserved;
  uint64_t window_bytes;  // of the file, and of its mapping
  uint64_t used_bytes;    // publishers': behind the last image that was in force
  uint64_t padding[4];
  uint64_t current;  // generation << 32 | place of its image in units, or kLiveClosed
  uint64_t padding_behind[7];
};
static_assert(sizeof(LiveImageHeader) == 2 * kLiveUnit);
static_assert(offsetof(LiveImageHeader, current) == kLiveUnit);

constexpr uint64_t LiveWord(uint32_t generation, uint32_t place) {
  return uint64_t{generation} << 32 | place;
}
constexpr uint32_t GenerationOf(uint64_t word) { return static_cast<uint32_t>(word >> 32); }
constexpr uint32_t PlaceOf(uint64_t word) { return static_cast<uint32_t>(word); }

}  // namespace pagewarden::abi
