// SPDX-License-Identifier: Apache-2.0
#include "preload/pins/mappings.h"

#include "preload/base/error.h"
#include "preload/base/macros.h"
#include "preload/base/signal_guard.h"
#include "preload/base/sys.h"
#include "preload/pins/pins.h"
#include "preload/pins/sandbox.h"

extern "C" {
using Mmap = void* (*)(void*, size_t, int, int, int, long);
Mmap real_mmap = nullptr;
Mmap real_mmap64 = nullptr;
int (*real_munmap)(void*, size_t) = nullptr;
void* (*real_mremap)(void*, size_t, size_t, int, void*) = nullptr;
int (*real_mprotect)(void*, size_t, int) = nullptr;
int (*real_madvise)(void*, size_t, int) = nullptr;
}

namespace pagewarden {
namespace {

constexpr int kDiscardLocked = 24;  // MADV_DONTNEED_LOCKED, Linux 5.18
constexpr int kDontUnmap = 4;       // MREMAP_DONTUNMAP
constexpr long kInvalid = -22;      // EINVAL
constexpr long kTryAgain = -11;     // EAGAIN: what mremap(2) says at the limit

PW_SEALED ModulePatterns callers = {};
PW_SEALED bool any_caller = false;

struct Span {
  uint64_t begin;
  uint64_t end;
};

Span SpanOf(const void* at, size_t bytes) {
  const auto begin = reinterpret_cast<uint64_t>(at);
  return {begin, begin + bytes};
}

bool IsMapped(const void* result) { return !sys::Failed(reinterpret_cast<long>(result)); }

// Huge pages are never swapped. A mapping that grows counts its growth against the
// limit if it is locked, and ends in SIGSEGV there.
bool MayBePinned(int flags) { return (flags & (MAP_HUGETLB | MAP_GROWSDOWN)) == 0; }

bool IsCaller(const void* return_address) {
  if (any_caller) return true;
  const char* path = ModulePathOf(return_address);
  return path != nullptr && callers.Match(path);
}

void PinAs(Span span, bool writable) {
  if (writable)
    Pin(span.begin, span.end, PinSource::kMapping);
  else
    PinLater(span.begin, span.end, PinSource::kMapping);
}

struct MapCall {
  void* at;
  size_t bytes;
  int protection, flags, fd;
  long offset;

  void* By(Mmap real, int more_flags) const {
    return real(at, bytes, protection, flags | more_flags, fd, offset);
  }
};

// In a sandbox: locked from the first moment, or not at all. That fills the memory.
void* MapLocked(Mmap real, const MapCall& call) {
  void* result = call.By(real, MAP_LOCKED);
  if (!IsMapped(result)) return result;
  const Span span = SpanOf(result, call.bytes);
  BookLocked(span.begin, span.end, PinSource::kMapping);
  return result;
}

void* MapFor(Mmap real, const void* caller, const MapCall& call) {
  const bool writable = (call.protection & kProtWrite) != 0;
  const bool pins = MayBePinned(call.flags) && IsCaller(caller);
  if (pins && writable && GetPinMode() == PinMode::kEnforce && InSandbox()) {
    void* result = MapLocked(real, call);
    if (IsMapped(result)) return result;
  }
  void* result = call.By(real, 0);
  if (!IsMapped(result)) return result;
  const Span span = SpanOf(result, call.bytes);
  const SignalGuard guard(!InSandbox());  // once for both
  Unpin(span.begin, span.end);            // what was there is gone
  if (pins) PinAs(span, writable);
  return result;
}

long Remap(const void* at, size_t before, size_t after, int flags, const void* to) {
  return sys::Call(__NR_mremap, sys::Arg(at), before, after, flags, sys::Arg(to));
}

// A locked mapping that may not grow any further loses its lock, not its growth.
long RemapUnlocked(Span old, size_t after, int flags, const void* to) {
  auto* at = reinterpret_cast<const void*>(old.begin);
  sys::Unlock(at, old.end - old.begin);
  return Remap(at, old.end - old.begin, after, flags, to);
}

void BookMoved(Span span, PinState state) {
  switch (state) {
    case PinState::kLocked:
      return BookLocked(span.begin, span.end, PinSource::kMapping);
    case PinState::kUnlocked:
      return Pin(span.begin, span.end, PinSource::kMapping);
    case PinState::kIdle:
      return PinLater(span.begin, span.end, PinSource::kMapping);
  }
}

// The pages go and come with their lock.
long RemapPinned(const PinnedRange& pin, Span old, size_t after, int flags, const void* to) {
  Unpin(old.begin, old.end);  // first: another thread may be given the place at once
  auto* at = reinterpret_cast<const void*>(old.begin);
  const bool is_one = pin.begin == old.begin && pin.end >= old.end;
  PinState state = is_one ? pin.state : PinState::kUnlocked;
  long result = Remap(at, old.end - old.begin, after, flags, to);
  if (result == kTryAgain && state == PinState::kLocked && !InSandbox()) {
    result = RemapUnlocked(old, after, flags, to);
    state = PinState::kUnlocked;
  }
  if (sys::Failed(result)) {
    BookMoved(old, state);
  } else {
    const auto begin = static_cast<uint64_t>(result);
    BookMoved({begin, begin + after}, state);
  }
  return result;
}

bool Discards(int advice) { return advice == MADV_DONTNEED || advice == MADV_FREE; }

// The kernel refuses to discard locked pages if it is not asked for just that. Before
// Linux 5.18 they are unlocked for a moment, in which they are not there.
long DiscardPinned(const void* at, size_t bytes) {
  const long result = sys::Advise(at, bytes, kDiscardLocked);
  if (result != kInvalid) return result;
  sys::Unlock(at, bytes);
  const long discarded = sys::Advise(at, bytes, MADV_DONTNEED);
  sys::LockOnFault(at, bytes);
  return discarded;
}

// As the C library reports what the kernel returned.
long Report(long result) {
  if (!sys::Failed(result)) return result;
  SetErrno(static_cast<int>(-result));
  return -1;
}

}  // namespace

void StartPinningMappings(const ModulePatterns& patterns) { callers = patterns; }

void StartPinningAllMappings() { any_caller = true; }

extern "C" void* intercepted_mmap(void* at, size_t bytes, int protection, int flags, int fd,
                                  long offset) {
  return MapFor(real_mmap, __builtin_return_address(0),
                {at, bytes, protection, flags, fd, offset});
}

extern "C" void* intercepted_mmap64(void* at, size_t bytes, int protection, int flags, int fd,
                                    long offset) {
  return MapFor(real_mmap64, __builtin_return_address(0),
                {at, bytes, protection, flags, fd, offset});
}

// Forgotten first: another thread may be given the place at once.
extern "C" int intercepted_munmap(void* at, size_t bytes) {
  const Span span = SpanOf(at, bytes);
  Unpin(span.begin, span.end);
  return real_munmap(at, bytes);
}

extern "C" void* intercepted_mremap(void* at, size_t before, size_t after, int flags, void* to) {
  PinnedRange pin;
  const Span old = SpanOf(at, before);
  if ((flags & kDontUnmap) != 0 || !FindPin(old.begin, old.end, &pin))
    return real_mremap(at, before, after, flags, to);
  return reinterpret_cast<void*>(Report(RemapPinned(pin, old, after, flags, to)));
}

extern "C" int intercepted_mprotect(void* at, size_t bytes, int protection) {
  const int result = real_mprotect(at, bytes, protection);
  const Span span = SpanOf(at, bytes);
  if (result == 0 && (protection & kProtWrite) != 0) PinAccessible(span.begin, span.end);
  return result;
}

extern "C" int intercepted_madvise(void* at, size_t bytes, int advice) {
  const Span span = SpanOf(at, bytes);
  const int error = GetErrno();
  if (Discards(advice) && !InSandbox() && IsPinned(span.begin, span.end))
    return static_cast<int>(Report(DiscardPinned(at, bytes)));
  const int result = real_madvise(at, bytes, advice);
  if (result == 0 || !Discards(advice) || GetErrno() != -kInvalid || InSandbox()) return result;
  if (sys::Failed(sys::Advise(at, bytes, kDiscardLocked))) return result;
  SetErrno(error);  // mlockall locks what is in no book, such as the C library's mappings
  return 0;
}

}  // namespace pagewarden
