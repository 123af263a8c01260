// SPDX-License-Identifier: Apache-2.0
// FNV-1a, 64 bit (draft-eastlake-fnv): finds torn and truncated images. It is
// not a signature; trust comes from the owner and mode of the file.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden::abi {

constexpr uint64_t Checksum(const unsigned char* data, size_t bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < bytes; ++i) hash = (hash ^ data[i]) * 0x100000001b3u;
  return hash;
}

}  // namespace pagewarden::abi
