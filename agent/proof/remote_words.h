// SPDX-License-Identifier: Apache-2.0
// Reads words of another process's memory, a block at a time.
//
//   RemoteWords words([&](uint64_t at, void* to, size_t n) { return memory.Read(at, to, n); });
//   uint64_t next;
//   if (!words.Get(address, next)) return;  // not readable
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <utility>

#include "agent/proof/secret_bytes.h"

namespace pagewarden {

// As ProcessMemory::Read: how many bytes came before the first unreadable one.
using ReadMemory = std::function<size_t(uint64_t address, void* buffer, size_t bytes)>;

class RemoteWords {
 public:
  explicit RemoteWords(ReadMemory read) : read_(std::move(read)), block_(kBlockBytes) {}

  template <typename T>
  bool Get(uint64_t address, T& value) {
    const unsigned char* const bytes = Find(address, sizeof(T));
    if (bytes == nullptr) return false;
    memcpy(&value, bytes, sizeof(T));
    return true;
  }

 private:
  static constexpr size_t kBlockBytes = 64 << 10;

  const unsigned char* Find(uint64_t address, size_t bytes);

  ReadMemory read_;
  SecretBytes block_;  // a heap's pages hold the secrets too
  uint64_t start_ = 0;
  size_t used_ = 0;
};

}  // namespace pagewarden
