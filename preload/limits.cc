// SPDX-License-Identifier: Apache-2.0
#include "preload/limits.h"

#include <linux/capability.h>

#include "preload/sys.h"

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

}  // namespace

uint64_t LockableBytes() { return MayLockAnything() ? kUnlimited : SoftLimit(kLimitMemlock); }

uint64_t StackBytes() { return SoftLimit(kLimitStack); }

uint64_t AddressSpaceBytes() { return SoftLimit(kLimitAddressSpace); }

}  // namespace pagewarden
