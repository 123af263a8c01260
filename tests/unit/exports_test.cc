// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <malloc.h>

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "tests/unit/exports_probe.h"

namespace {

constexpr std::align_val_t k64{64};

struct Allocation {
  std::string name;
  size_t alignment;
  std::function<void*()> allocate;
  std::function<void(void*)> release;
};

void* PosixMemalign(size_t alignment, size_t bytes) {
  void* block = nullptr;
  errno = posix_memalign(&block, alignment, bytes);
  return block;
}

// Every form that allocates, each for 256 bytes; pages are asked for whole.
const std::vector<Allocation>& Allocations() {
  static const auto* all = new std::vector<Allocation>{
      {"malloc", 16, [] { return malloc(256); }, free},
      {"calloc", 16, [] { return calloc(4, 64); }, free},
      {"realloc", 16, [] { return realloc(nullptr, 256); }, free},
      {"reallocarray", 16, [] { return reallocarray(nullptr, 4, 64); }, free},
      {"posix_memalign", 64, [] { return PosixMemalign(64, 256); }, free},
      {"aligned_alloc", 64, [] { return aligned_alloc(64, 256); }, free},
      {"memalign", 64, [] { return memalign(64, 256); }, free},
      {"valloc", 4096, [] { return valloc(256); }, free},
      {"pvalloc", 4096, [] { return pvalloc(256); }, free},
      {"new", 16, [] { return operator new(256); }, [](void* p) { operator delete(p); }},
      {"new[]", 16, [] { return operator new[](256); },
       [](void* p) { operator delete[](p, size_t{256}); }},
      {"new nothrow", 16, [] { return operator new(256, std::nothrow); },
       [](void* p) { operator delete(p, std::nothrow); }},
      {"new[] nothrow", 16, [] { return operator new[](256, std::nothrow); },
       [](void* p) { operator delete[](p, std::nothrow); }},
      {"new aligned", 64, [] { return operator new(256, k64); },
       [](void* p) { operator delete(p, k64); }},
      {"new[] aligned", 64, [] { return operator new[](256, k64); },
       [](void* p) { operator delete[](p, size_t{256}, k64); }},
      {"new aligned nothrow", 64, [] { return operator new(256, k64, std::nothrow); },
       [](void* p) { operator delete(p, k64, std::nothrow); }},
      {"new[] aligned nothrow", 64, [] { return operator new[](256, k64, std::nothrow); },
       [](void* p) { operator delete[](p, k64, std::nothrow); }},
  };
  return *all;
}

struct Seen {
  void* block;
  bool threw;
  int judged;
  size_t bytes;
  size_t alignment;
  int freed;
};

// Nothing but the one pair may allocate in here.
Seen Observe(const Allocation& allocation, ExportsProbe::Verdict verdict) {
  exports_probe.judged = exports_probe.freed = 0;
  exports_probe.least_bytes = 256;  // an exception is smaller
  exports_probe.verdict = verdict;
  Seen seen = {};
  try {
    seen.block = allocation.allocate();
  } catch (const std::bad_alloc&) {
    seen.threw = true;
  }
  exports_probe.verdict = ExportsProbe::kNext;
  seen.judged = exports_probe.judged;
  seen.bytes = exports_probe.bytes;
  seen.alignment = exports_probe.alignment;
  allocation.release(seen.block);
  seen.freed = exports_probe.freed;
  return seen;
}

void ExpectJudgedOnce(const Allocation& allocation, const Seen& seen) {
  EXPECT_EQ(seen.judged, 1);
  EXPECT_EQ(seen.bytes, allocation.name == "pvalloc" ? 4096 : 256);
  EXPECT_EQ(seen.alignment, allocation.alignment);
}

void ExpectAllVerdictsObeyed() {
  for (const Allocation& allocation : Allocations()) {
    SCOPED_TRACE(allocation.name);
    Seen seen = Observe(allocation, ExportsProbe::kNext);
    ExpectJudgedOnce(allocation, seen);
    EXPECT_NE(seen.block, nullptr);
    EXPECT_NE(seen.block, exports_probe.fenced);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(seen.block) % allocation.alignment, 0u);
    EXPECT_EQ(seen.freed, 0);

    seen = Observe(allocation, ExportsProbe::kFenced);
    ExpectJudgedOnce(allocation, seen);
    EXPECT_EQ(seen.block, exports_probe.fenced);
    EXPECT_EQ(seen.freed, 1);

    seen = Observe(allocation, ExportsProbe::kFail);
    ExpectJudgedOnce(allocation, seen);
    EXPECT_EQ(seen.block, nullptr);
    const bool is_new = allocation.name.rfind("new", 0) == 0;
    EXPECT_EQ(seen.threw, is_new && allocation.name.find("nothrow") == std::string::npos);
  }
}

// One test: what it switches on stays on.
TEST(Exports, AskTheRouterInAnExtentAndUnderAStandingRuleOnly) {
  for (const Allocation& allocation : Allocations()) {
    SCOPED_TRACE(allocation.name);
    const Seen seen = Observe(allocation, ExportsProbe::kFail);
    EXPECT_EQ(seen.judged, 0);
    EXPECT_NE(seen.block, nullptr);
  }
  exports_probe_judge_every_call();
  ExpectAllVerdictsObeyed();
  exports_probe_enter_extent();
  ExpectAllVerdictsObeyed();
  exports_probe_leave_extent();
}

TEST(Exports, LeaveImpossibleRequestsToTheNextAllocator) {
  exports_probe.judged = 0;
  volatile size_t too_much = SIZE_MAX / 2 + 1;
  EXPECT_EQ(malloc(too_much), nullptr);
  EXPECT_EQ(calloc(too_much, 2), nullptr);
  EXPECT_EQ(reallocarray(nullptr, too_much, 2), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(aligned_alloc(64, too_much), nullptr);
  EXPECT_EQ(PosixMemalign(24, 64), nullptr);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(exports_probe.judged, 0);
}

}  // namespace
