// SPDX-License-Identifier: Apache-2.0
#include "recorder/detector.h"

#include <string.h>

#include "recorder/session.h"
#include "recorder/siphash.h"

namespace pagewarden::recorder {
namespace {

constexpr size_t kWindow = rec::kWindowBytes;

uint64_t HashAt(const char* data) {
  uint64_t word;
  memcpy(&word, data, sizeof(word));
  return rec::SipHash(session.header->hash_key, word);
}

// The window with this hash; null if there is none.
const rec::Window* FindWindow(uint64_t hash) {
  const uint64_t mask = session.header->slots.count - 1;
  for (uint64_t at = hash & mask;; at = (at + 1) & mask) {
    const uint32_t index = session.slots[at];
    if (index == 0) return nullptr;
    if (session.windows[index - 1].hash == hash) return &session.windows[index - 1];
  }
}

bool IsNeighbour(const rec::Window* window, ptrdiff_t distance) {
  const rec::Window* const other = window + distance;
  if (other < session.windows || other >= session.windows + session.header->windows.count) {
    return false;
  }
  return other->needle == window->needle;
}

// Intact bytes around the window that was found at `at`: up to kWindow on each
// side, which tells a copy from a chance fragment.
size_t RunAround(const char* data, size_t bytes, size_t at, const rec::Window* window) {
  size_t before = 0;
  size_t after = 0;
  for (size_t n = kWindow; n > 0 && before == 0; --n) {
    if (n > at || !IsNeighbour(window, -static_cast<ptrdiff_t>(n))) continue;
    if (HashAt(data + at - n) == (window - n)->hash) before = n;
  }
  for (size_t n = kWindow; n > 0 && after == 0; --n) {
    if (at + n + kWindow > bytes || !IsNeighbour(window, static_cast<ptrdiff_t>(n))) continue;
    if (HashAt(data + at + n) == (window + n)->hash) after = n;
  }
  return before + kWindow + after;
}

}  // namespace

bool HoldsSecret(const void* memory, size_t bytes) {
  const char* const data = static_cast<const char*>(memory);
  const uint64_t step = session.header->step;
  for (size_t at = 0; at + kWindow <= bytes; at += step) {
    const rec::Window* window = FindWindow(HashAt(data + at));
    if (window != nullptr && RunAround(data, bytes, at, window) >= window->min_run) return true;
  }
  return false;
}

}  // namespace pagewarden::recorder
