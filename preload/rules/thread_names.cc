// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/thread_names.h"

#include "preload/abi/pattern.h"
#include "preload/base/mem.h"
#include "preload/base/sys.h"
#include "preload/pins/sandbox.h"

extern "C" {
int (*real_pthread_setname_np)(void* thread, const char* name) = nullptr;
}

namespace pagewarden {

uint64_t names_given = 1;

namespace {

constexpr size_t kNameBytes = 16;

struct Filter {
  PolicyImage image;
  abi::Range patterns;
};

// Images stay mapped. Written by one thread at a time, at start or under the lock of
// follow.cc.
Filter filters[kMaxFilters] = {};
uint32_t filter_count = 0;

bool Passes(const Filter& filter, const char* name) {
  for (uint32_t i = 0; i < filter.patterns.count; ++i) {
    const abi::Text& pattern = filter.image.pattern(filter.patterns.first + i);
    if (MatchesPattern(filter.image.text(pattern), name)) return true;
  }
  return false;
}

bool Same(const Filter& a, const Filter& b) {
  if (a.patterns.count != b.patterns.count) return false;
  for (uint32_t i = 0; i < a.patterns.count; ++i) {
    const abi::Text& left = a.image.pattern(a.patterns.first + i);
    const abi::Text& right = b.image.pattern(b.patterns.first + i);
    if (!Equal(a.image.text(left), b.image.text(right))) return false;
  }
  return true;
}

}  // namespace

bool HasFilters() { return filter_count != 0; }

uint32_t FilterOf(const PolicyImage& image, const abi::RuleEntry& of) {
  if (of.threads.count == 0) return 0;
  const Filter filter = {image, of.threads};
  for (uint32_t i = 0; i < filter_count; ++i)
    if (Same(filters[i], filter)) return i + 1;
  if (filter_count == kMaxFilters || InSandbox()) return kMaxFilters + 1;
  filters[filter_count] = filter;
  __atomic_store_n(&filter_count, filter_count + 1, __ATOMIC_RELEASE);
  NoticeRenamed();  // who knows of fewer looks again
  return filter_count;
}

void NoticeRenamed() { __atomic_fetch_add(&names_given, 1, __ATOMIC_RELEASE); }

PW_COLD void ReadFilters() {
  const uint64_t now = __atomic_load_n(&names_given, __ATOMIC_ACQUIRE);
  char name[kNameBytes] = {};
  sys::ThreadName(name);
  uint64_t passed = 0;
  const uint32_t count = __atomic_load_n(&filter_count, __ATOMIC_ACQUIRE);
  for (uint32_t i = 0; i < count && i < kCachedFilters; ++i)
    if (Passes(filters[i], name)) passed |= uint64_t{1} << i;
  pw_thread.filters = passed;
  pw_thread.names_seen = now;
}

PW_COLD bool PassesUncached(uint32_t filter) {
  char name[kNameBytes] = {};
  sys::ThreadName(name);
  return Passes(filters[filter - 1], name);
}

extern "C" int intercepted_pthread_setname_np(void* thread, const char* name) {
  const int result = real_pthread_setname_np(thread, name);
  NoticeRenamed();
  return result;
}

}  // namespace pagewarden
