// SPDX-License-Identifier: Apache-2.0
// What a scenario changes about its own process. Each aborts the process where the
// kernel refuses what root may do everywhere.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace pagewarden {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr uint64_t kPlainLimit = 68 * kKiB;  // no number that looks like KiB

// RLIMIT_MEMLOCK, soft and hard.
void SetLimit(uint64_t soft, uint64_t hard);
inline void SetLimit(uint64_t both) { SetLimit(both, both); }

// Another user without capabilities, as most processes are.
void BecomeNobody();
// As `unshare -Ur`: root, with all capabilities, in a user namespace of its own. False:
// this machine allows none.
bool EnterUserNamespace();
// Takes CAP_IPC_LOCK away, from the effective set only or from the permitted too.
void DropIpcLock(bool permitted_too);
// System call `number` returns `error`.
void RefuseBySeccomp(int number, int error);

// `bytes` of private anonymous memory, not touched.
void* Map(uint64_t bytes, int protection = 3, int flags = 0);
// VmLck, in bytes.
uint64_t OwnLockedBytes();
// "[stack]" of /proc/self/maps.
struct Range {
  uint64_t start = 0;
  uint64_t end = 0;
};
Range OwnStack();

// Puts itself into a new cgroup of the v1 memory controller where nobody is killed for
// being over `limit` bytes. Not empty: why that cannot be done here.
std::string EnterFullMemoryCgroup(uint64_t limit);
// Removes the cgroup that EnterFullMemoryCgroup has made in this process, which has ended.
// Nothing where it made none.
void RemoveMemoryCgroupOf(pid_t pid);

}  // namespace pagewarden
