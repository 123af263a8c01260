// SPDX-License-Identifier: Apache-2.0
#include "preload/base/limits.h"

#include <linux/capability.h>

#include "preload/base/mem.h"
#include "preload/base/sys.h"

namespace pagewarden {
namespace {

constexpr int kLimitStack = 3;
constexpr int kLimitMemlock = 8;
constexpr int kLimitAddressSpace = 9;

uint64_t SoftLimit(int resource) {
  struct {
    uint64_t soft, hard;
  } limit = {};
  const long result = sys::Call(__NR_prlimit64, 0, resource, 0, sys::Arg(&limit));
  return sys::Failed(result) ? 0 : limit.soft;
}

bool MayLockAnything() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (sys::Failed(sys::Call(__NR_capget, sys::Arg(&header), sys::Arg(data)))) return false;
  return (data[0].effective & (1u << CAP_IPC_LOCK)) != 0;
}

// All ids are mapped to themselves: "0 0 4294967295".
bool InInitialUserNamespace() {
  char map[64] = {};
  const long file = sys::Open("/proc/self/uid_map");
  if (sys::Failed(file)) return false;
  const long bytes = sys::Read(file, map, sizeof(map) - 1);
  sys::Close(file);
  if (bytes <= 0) return false;
  constexpr char kAll[] = "4294967295\n";
  constexpr long kAllBytes = sizeof(kAll) - 1;
  return bytes > kAllBytes && EqualBytes(map + bytes - kAllBytes, kAll, kAllBytes);
}

}  // namespace

uint64_t LockableBytes() { return MayLockAnything() ? kUnlimited : SoftLimit(kLimitMemlock); }

bool LimitIsInfinite() { return SoftLimit(kLimitMemlock) == kUnlimited; }

bool LocksWithoutLimit() {
  return LimitIsInfinite() || (MayLockAnything() && InInitialUserNamespace());
}

uint64_t StackBytes() { return SoftLimit(kLimitStack); }

uint64_t AddressSpaceBytes() { return SoftLimit(kLimitAddressSpace); }

}  // namespace pagewarden
