// SPDX-License-Identifier: Apache-2.0
#include "preload/rules/thread_names.h"

#include "preload/abi/pattern.h"
#include "preload/base/sys.h"

extern "C" {
int (*real_pthread_setname_np)(void* thread, const char* name) = nullptr;
}

namespace pagewarden {

uint64_t names_given = 1;

namespace {

constexpr size_t kNameBytes = 16;

PW_SEALED PolicyImage image = {};
PW_SEALED const abi::PolicyEntry* policy = nullptr;
PW_SEALED bool has_filters = false;

bool Passes(const abi::RuleEntry& rule, const char* name) {
  for (uint32_t i = 0; i < rule.threads.count; ++i)
    if (MatchesPattern(image.text(image.pattern(rule.threads.first + i)), name)) return true;
  return false;
}

// Calls visit(number, rule) for each filter, until it returns true.
template <typename Visit>
bool AnyFilter(Visit visit) {
  uint32_t number = 0;
  for (uint32_t i = 0; i < policy->rules.count; ++i) {
    const abi::RuleEntry& rule = image.rule(policy->rules.first + i);
    if (rule.threads.count != 0 && visit(++number, rule)) return true;
  }
  return false;
}

}  // namespace

void SetFilters(const PolicyImage& from, const abi::PolicyEntry& of) {
  image = from;
  policy = &of;
  has_filters = AnyFilter([](uint32_t, const abi::RuleEntry&) { return true; });
}

bool HasFilters() { return has_filters; }

uint32_t FilterOf(const abi::RuleEntry& of) {
  uint32_t found = 0;
  if (of.threads.count == 0) return found;
  AnyFilter([&](uint32_t number, const abi::RuleEntry& rule) {
    found = number;
    return &rule == &of;
  });
  return found;
}

void NoticeRenamed() { __atomic_fetch_add(&names_given, 1, __ATOMIC_RELEASE); }

PW_COLD void ReadFilters() {
  const uint64_t now = __atomic_load_n(&names_given, __ATOMIC_ACQUIRE);
  char name[kNameBytes] = {};
  sys::ThreadName(name);
  uint64_t filters = 0;
  AnyFilter([&](uint32_t number, const abi::RuleEntry& rule) {
    if (number <= kCachedFilters && Passes(rule, name)) filters |= uint64_t{1} << (number - 1);
    return number == kCachedFilters;
  });
  pw_thread.filters = filters;
  pw_thread.names_seen = now;
}

PW_COLD bool PassesUncached(uint32_t filter) {
  char name[kNameBytes] = {};
  sys::ThreadName(name);
  return AnyFilter([&](uint32_t number, const abi::RuleEntry& rule) {
    return number == filter && Passes(rule, name);
  });
}

extern "C" int intercepted_pthread_setname_np(void* thread, const char* name) {
  const int result = real_pthread_setname_np(thread, name);
  NoticeRenamed();
  return result;
}

}  // namespace pagewarden
