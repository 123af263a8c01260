// SPDX-License-Identifier: Apache-2.0
#include "preload/base/registers.h"

#include <stdint.h>

// Read by registers.S: 0 SSE, 1 AVX, 2 AVX-512.
extern "C" {
PW_HIDDEN extern uint32_t pw_vector_level;
PW_SEALED uint32_t pw_vector_level = 0;
}

namespace pagewarden {
namespace {

struct CpuId {
  uint32_t a, b, c, d;
};

CpuId ReadCpuId(uint32_t leaf) {
  CpuId id;
  asm volatile("cpuid" : "=a"(id.a), "=b"(id.b), "=c"(id.c), "=d"(id.d) : "a"(leaf), "c"(0));
  return id;
}

// The register state that the kernel saves for this process (XCR0).
uint64_t EnabledState() {
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

}  // namespace

void DetectVectorRegisters() {
  constexpr uint32_t kOsXsave = 1u << 27, kAvx = 1u << 28, kAvx512Vl = 1u << 31;
  constexpr uint64_t kYmmState = 0x6, kZmmState = 0xe6;
  const CpuId features = ReadCpuId(1);
  if ((features.c & kOsXsave) == 0 || (features.c & kAvx) == 0) return;
  const uint64_t state = EnabledState();
  if ((state & kYmmState) == kYmmState) pw_vector_level = 1;
  const bool has_leaf_7 = ReadCpuId(0).a >= 7;
  if (has_leaf_7 && (ReadCpuId(7).b & kAvx512Vl) != 0 && (state & kZmmState) == kZmmState)
    pw_vector_level = 2;
}

}  // namespace pagewarden
