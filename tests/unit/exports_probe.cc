// SPDX-License-Identifier: Apache-2.0
// What the shim's exports need of its other parts: a router that records what
// it is asked, and a fence of one page.
#include "tests/unit/exports_probe.h"

#include "preload/base/thread.h"
#include "preload/calls/next.h"
#include "preload/calls/pass.h"
#include "preload/calls/router.h"
#include "preload/elf/loader_lock.h"
#include "preload/fence/fence.h"
#include "preload/start.h"

namespace {
alignas(4096) char page[4096];
}

extern "C" {
__attribute__((visibility("default")))
ExportsProbe exports_probe = {ExportsProbe::kNext, page, 0, 0, 0, 0, 0};
__thread pagewarden::Thread pw_thread = {};
}

namespace pagewarden {

Fence fence = {};

uint64_t* site_cache = nullptr;

Routed RouteAllocation(size_t bytes, size_t alignment, const CallFrame&) {
  if (bytes < exports_probe.least_bytes) return {Route::kNext, nullptr};
  ++exports_probe.judged;
  exports_probe.bytes = bytes;
  exports_probe.alignment = alignment;
  switch (exports_probe.verdict) {
    case ExportsProbe::kFenced:
      return {Route::kFenced, page};
    case ExportsProbe::kFail:
      return {Route::kFail, nullptr};
    default:
      return {Route::kNext, nullptr};
  }
}

void* RouteRealloc(void* block, size_t bytes, const CallFrame& frame) {
  const Routed routed = RouteAllocation(bytes, kAnyAlignment, frame);
  return routed.route == Route::kNext ? next_realloc(block, bytes) : routed.block;
}

void* ReallocFenced(void*, size_t bytes) { return bytes != 0 ? page : nullptr; }
void FreeFenced(void*) { ++exports_probe.freed; }
size_t FencedSize(void*) { return sizeof(page); }

bool MayLockLoader() { return true; }

bool Started() { return true; }
void Start() {}

}  // namespace pagewarden

PW_EXPORT void exports_probe_judge_every_call() {
  pagewarden::fence.base = reinterpret_cast<uint64_t>(page);
  pagewarden::fence.bytes = sizeof(page);
  pagewarden::SetJudging(pagewarden::Judging::kEveryCall);
}
PW_EXPORT void exports_probe_enter_extent() { ++pw_thread.scope_count; }
PW_EXPORT void exports_probe_leave_extent() { --pw_thread.scope_count; }
