// SPDX-License-Identifier: Apache-2.0
// The shim's exports before a router that does as the test says (exports_test.cc).
#pragma once

#include <stddef.h>

struct ExportsProbe {
  enum Verdict { kNext, kFenced, kFail } verdict;
  void* fenced;  // what kFenced answers
  size_t least_bytes;  // smaller requests go unrecorded to the next allocator
  int judged;    // calls of the router
  size_t bytes;  // of the last one
  size_t alignment;
  int freed;  // fenced blocks
};

extern "C" {
extern ExportsProbe exports_probe;
void exports_probe_judge_every_call();
void exports_probe_enter_extent();
void exports_probe_leave_extent();
}
