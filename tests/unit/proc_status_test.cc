// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/proc/limits.h"
#include "agent/proc/read_file.h"
#include "agent/proc/status.h"
#include "tests/unit/child.h"

namespace pagewarden {
namespace {

constexpr char kStatus[] =
    "Name:\tnginx: worker\\nx\\\\y\n"
    "Umask:\t0022\n"
    "State:\tS (sleeping)\n"
    "Uid:\t1000\t33\t33\t33\n"
    "VmLck:\t    1024 kB\n"
    "VmPin:\t      64 kB\n"
    "CapEff:\t000001ffffffffff\n";

TEST(ParseStatus, ReadsEveryField) {
  const auto status = ParseStatus(kStatus);
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->comm, "nginx: worker\nx\\y");
  EXPECT_EQ(status->uid, 33u);
  EXPECT_EQ(status->locked_bytes, 1024u << 10);
  EXPECT_EQ(status->pinned_bytes, 64u << 10);
  EXPECT_EQ(status->cap_effective, 0x1ffffffffffu);
  EXPECT_TRUE(status->has_memory);
}

TEST(ParseStatus, SeesAKernelThread) {
  const auto status = ParseStatus("Name:\tkthreadd\nUid:\t0\t0\t0\t0\nCapEff:\t0\n");
  ASSERT_TRUE(status.ok());
  EXPECT_FALSE(status->has_memory);
}

TEST(ParseStatus, IsNotFooledByTheName) {
  const auto status = ParseStatus("Name:\tVmLck:\t9 kB\nUid:\t0\t0\t0\t0\nCapEff:\t0\n");
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->comm, "VmLck:\t9 kB");
  EXPECT_EQ(status->locked_bytes, 0u);
}

class MalformedStatus : public ::testing::TestWithParam<const char*> {};

TEST_P(MalformedStatus, IsRefused) {
  EXPECT_EQ(ParseStatus(GetParam()).status().code(), absl::StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, MalformedStatus,
    ::testing::Values("", "Name:\tx\n", "Uid:\t0\t0\nCapEff:\t0\n",
                      "Name:\tx\nUid:\t0\nCapEff:\t0\n",
                      "Name:\tx\nUid:\t0\t4294967296\nCapEff:\t0\n",
                      "Name:\tx\nUid:\t0\t0\nCapEff:\tz\n",
                      "Name:\tx\nUid:\t0\t0\nCapEff:\t10000000000000000\n",
                      "Name:\tx\nUid:\t0\t0\nCapEff:\t0\nVmLck:\t1 MB\n",
                      "Name:\tx\nUid:\t0\t0\nCapEff:\t0\nVmLck:\t1\n",
                      "Name:\tx\nUid:\t0\t0\nCapEff:\t0\nVmLck:\t-1 kB\n",
                      "Name:\tx\nUid:\t0\t0\nCapEff:\t0\nVmLck:\t18014398509481984 kB\n",
                      "Name:\tx\nUid:\t0\t0\nCapEff:\t0\nVmPin:\t99999999999999999999 kB\n"));

TEST(ParseMemlockLimits, ReadsNumbersAndUnlimited) {
  const auto limits = ParseMemlockLimits(
      "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max processes             9                    9                    processes \n"
      "Max locked memory         65536                unlimited            bytes     \n");
  ASSERT_TRUE(limits.ok()) << limits.status();
  EXPECT_EQ(limits->soft, 65536u);
  EXPECT_EQ(limits->hard, std::nullopt);
}

TEST(ParseMemlockLimits, RefusesOtherForms) {
  for (const char* text :
       {"", "Max locked memory", "Max locked memory 1 2 kilobytes\n", "Max locked memory 1 bytes\n",
        "Max locked memory -1 2 bytes\n", "Max locked memory 99999999999999999999 2 bytes\n"}) {
    EXPECT_EQ(ParseMemlockLimits(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(ReadStatus, AgreesWithWhatAChildDid) {
  const Child child([] {
    void* const pages =
        mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const rlimit limit = {12345, 23456};
    return prctl(PR_SET_NAME, "a b\nc\\d") == 0 && mlock(pages, 8192) == 0 &&
           setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
  });
  ASSERT_TRUE(child.ok());
  const auto status = ReadStatus(child.pid());
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->comm, "a b\nc\\d");
  EXPECT_EQ(status->uid, geteuid());
  EXPECT_EQ(status->locked_bytes, 8192u);
  EXPECT_TRUE(status->has_memory);
  const auto limits = ReadMemlockLimits(child.pid());
  ASSERT_TRUE(limits.ok());
  EXPECT_EQ(limits->soft, 12345u);
  EXPECT_EQ(limits->hard, 23456u);
  // prlimit(2) and the text must not differ: which one is used depends on rights.
  const auto text = ReadBoundedFile(absl::StrCat("/proc/", child.pid(), "/limits"), 1 << 16);
  ASSERT_TRUE(text.ok());
  const auto parsed = ParseMemlockLimits(*text);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->soft, limits->soft);
  EXPECT_EQ(parsed->hard, limits->hard);
  EXPECT_EQ(ReadExe(child.pid()), ReadExe(getpid()));
}

TEST(ReadStatus, SaysThatAProcessIsMissing) {
  EXPECT_EQ(ReadStatus(1 << 22).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadMemlockLimits(1 << 22).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadExe(1 << 22), "");
}

TEST(InInitialUserNamespace, TellsTheNamespacesApart) {
  const Child child([] { return unshare(CLONE_NEWUSER) == 0; });
  if (!child.ok()) GTEST_SKIP() << "user namespaces are not allowed here";
  const auto inside = InInitialUserNamespace(child.pid());
  ASSERT_TRUE(inside.ok());
  EXPECT_FALSE(*inside);
  const auto text = ReadBoundedFile("/proc/self/uid_map", 4096);
  ASSERT_TRUE(text.ok());
  const auto self = InInitialUserNamespace(getpid());
  ASSERT_TRUE(self.ok());
  EXPECT_EQ(*self, text->find("4294967295") != std::string::npos);
}

TEST(ListProcesses, IsSortedAndHoldsThisProcess) {
  const auto pids = ListProcesses();
  ASSERT_TRUE(pids.ok());
  EXPECT_TRUE(std::is_sorted(pids->begin(), pids->end()));
  EXPECT_TRUE(std::binary_search(pids->begin(), pids->end(), getpid()));
}

TEST(ReadBoundedFile, RefusesMoreThanTheBound) {
  const auto whole = ReadBoundedFile("/proc/self/status", 1 << 16);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(ReadBoundedFile("/proc/self/status", 100).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReadBoundedFile("/dev/zero", 100000).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReadBoundedFile("/nonexistent", 1).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace pagewarden
