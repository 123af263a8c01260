// SPDX-License-Identifier: Apache-2.0
#include "recorder/stacks.h"

#include <unwind.h>

#include "recorder/modules.h"
#include "recorder/session.h"
#include "recorder/siphash.h"

namespace pagewarden::recorder {
namespace {

constexpr int kMaxOwnFrames = 16;

struct Walk {
  const void* frames[rec::kMaxDepth];
  uint32_t depth = 0;
  int own = 0;
};

_Unwind_Reason_Code Visit(_Unwind_Context* context, void* argument) {
  auto* walk = static_cast<Walk*>(argument);
  const auto* address = reinterpret_cast<const void*>(_Unwind_GetIP(context));
  if (address == nullptr) return _URC_END_OF_STACK;
  if (walk->depth == 0 && walk->own < kMaxOwnFrames && IsOwnCode(address)) {
    ++walk->own;
    return _URC_NO_REASON;
  }
  walk->frames[walk->depth++] = address;
  return walk->depth == rec::kMaxDepth ? _URC_END_OF_STACK : _URC_NO_REASON;
}

uint64_t KeyOf(const rec::Frame* frames, uint32_t depth) {
  uint64_t key = depth;
  for (uint32_t i = 0; i < depth; ++i) {
    const uint64_t seed[2] = {key, frames[i].module};
    key = rec::SipHash(seed, frames[i].offset);
  }
  return key | 1;  // 0 marks a free row
}

uint32_t Intern(const rec::Frame* frames, uint32_t depth) {
  const uint64_t key = KeyOf(frames, depth);
  const uint64_t mask = session.header->stacks.count - 1;
  for (uint64_t n = 0; n <= mask; ++n) {
    const auto index = static_cast<uint32_t>((key + n) & mask);
    rec::Stack& stack = session.stacks[index];
    uint64_t present = 0;
    if (__atomic_compare_exchange_n(&stack.key, &present, key, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
      stack.depth = depth;
      for (uint32_t i = 0; i < depth; ++i) stack.frames[i] = frames[i];
      __atomic_store_n(&stack.state, rec::State::kReady, __ATOMIC_RELEASE);
      return index;
    }
    if (present == key) return index;
  }
  return rec::kNoStack;
}

// By return addresses: a program has far fewer stacks than allocations.
struct Cached {
  const void* frames[rec::kMaxDepth];
  uint32_t depth = 0;
  uint32_t stack = rec::kNoStack;
};
constexpr size_t kCached = 256;
__attribute__((tls_model("initial-exec"))) thread_local Cached cache[kCached];

Cached& SlotOf(const Walk& walk) {
  uintptr_t sum = walk.depth;
  for (uint32_t i = 0; i < walk.depth; ++i) {
    sum = sum * 31 + reinterpret_cast<uintptr_t>(walk.frames[i]);
  }
  return cache[(sum ^ sum >> 17) % kCached];
}

bool IsSame(const Cached& cached, const Walk& walk) {
  if (cached.stack == rec::kNoStack || cached.depth != walk.depth) return false;
  for (uint32_t i = 0; i < walk.depth; ++i) {
    if (cached.frames[i] != walk.frames[i]) return false;
  }
  return true;
}

uint32_t IndexOf(const Walk& walk) {
  Cached& cached = SlotOf(walk);
  if (IsSame(cached, walk)) return cached.stack;
  rec::Frame frames[rec::kMaxDepth];
  uint32_t depth = 0;
  while (depth < walk.depth && LocateCode(walk.frames[depth], &frames[depth])) ++depth;
  if (depth == 0) return rec::kNoStack;
  const uint32_t stack = Intern(frames, depth);
  cached.depth = walk.depth;
  cached.stack = stack;
  for (uint32_t i = 0; i < walk.depth; ++i) cached.frames[i] = walk.frames[i];
  return stack;
}

}  // namespace

void PrimeUnwinder() {
  Walk walk;
  _Unwind_Backtrace(Visit, &walk);
}

uint32_t CaptureStack(size_t bytes) {
  Walk walk;
  _Unwind_Backtrace(Visit, &walk);
  const uint32_t stack = IndexOf(walk);
  uint64_t& count = stack == rec::kNoStack
                        ? session.header->lost
                        : session.stacks[stack].allocations[rec::SizeClass(bytes)];
  __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
  return stack;
}

void CountHit(uint32_t stack, size_t bytes) {
  if (stack == rec::kNoStack) return;
  rec::Stack& row = session.stacks[stack];
  __atomic_fetch_add(&row.hits, 1, __ATOMIC_RELAXED);
  __atomic_fetch_or(&row.hit_classes, uint64_t{1} << rec::SizeClass(bytes), __ATOMIC_RELAXED);
}

}  // namespace pagewarden::recorder
