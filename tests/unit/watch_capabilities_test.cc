// SPDX-License-Identifier: Apache-2.0
// The watch of a process that is not root.
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/watch/watch.h"

namespace pagewarden {
namespace {

constexpr uid_t kNobody = 65534;
constexpr size_t kBytes = 5 * 4096;

bool SetCapabilities(uint64_t capabilities) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (int i = 0; i < 2; ++i) {
    data[i].effective = data[i].permitted = static_cast<__u32>(capabilities >> (32 * i));
  }
  return syscall(SYS_capset, &header, data) == 0;
}

bool BecomeNobodyWith(uint64_t capabilities) {
  return prctl(PR_SET_KEEPCAPS, 1) == 0 && setresuid(kNobody, kNobody, kNobody) == 0 &&
         SetCapabilities(capabilities);
}

bool LocksAndSeesIt(Watch& watch) {
  void* memory = mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mlock(memory, kBytes) != 0) return false;
  const auto peaks = watch.ProcessPeaks();
  const auto own = peaks.find(getpid());
  return own != peaks.end() && own->second.exact && own->second.bytes == kBytes;
}

// 0 as wanted, 77 no peaks hook on this kernel.
int WatchWith(uint64_t capabilities, bool works) {
  if (!BecomeNobodyWith(capabilities)) return 2;
  auto watch = Watch::Open(nullptr, WatchOptions());
  if (!works) return absl::IsPermissionDenied(watch.status()) ? 0 : 3;
  if (!watch.ok()) return 4;
  for (const HookReport& report : watch->hooks()) {
    if (report.question == "peaks" && report.hook.rfind("tp_btf", 0) != 0) return 77;
  }
  return LocksAndSeesIt(*watch) ? 0 : 5;
}

int InChild(uint64_t capabilities, bool works) {
  const pid_t child = fork();
  if (child == 0) _exit(WatchWith(capabilities, works));
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(WatchCapabilities, BpfAndPerfmonAreEnough) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const int code = InChild(1ull << CAP_BPF | 1ull << CAP_PERFMON, true);
  if (code == 77) GTEST_SKIP() << "no hook sees each change here";
  EXPECT_EQ(code, 0);
}

TEST(WatchCapabilities, WithNoneItSaysSo) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(InChild(0, false), 0);
}

}  // namespace
}  // namespace pagewarden
