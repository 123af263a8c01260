// SPDX-License-Identifier: Apache-2.0
// What the audit and the doctor read about other processes, damaged: /proc text, what a
// process may write over in its own memory, unit files.
#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "agent/cgroup/classify.h"
#include "agent/cgroup/hierarchy.h"
#include "agent/cgroup/mountinfo.h"
#include "agent/doctor/exec_texts.h"
#include "agent/doctor/host_facts.h"
#include "agent/doctor/status_fields.h"
#include "agent/doctor/units/unit_settings.h"
#include "agent/proc/limits.h"
#include "agent/proc/mappings.h"
#include "agent/proc/read_file.h"
#include "agent/proc/status.h"
#include "agent/proc/sysv_shm.h"
#include "tests/fuzz/mutate.h"

namespace pagewarden {
namespace {

constexpr int kRounds = 4000;
constexpr size_t kMaxBytes = 16 << 20;

std::string Own(const char* file) {
  return ReadBoundedFile(std::string("/proc/self/") + file, kMaxBytes).value();
}

// Those that `parse` refuses, of kRounds damaged texts.
template <typename Parse>
int Refused(const std::string& text, Parse parse) {
  Mutator mutate;
  int refused = 0;
  for (int round = 0; round < kRounds; ++round) refused += !parse(mutate(text));
  return refused;
}

TEST(AuditTextsFuzzTest, Status) {
  const std::string text = Own("status");
  ASSERT_EQ(ParseStatus(text)->uid, geteuid());
  EXPECT_GT(Refused(text, [](const std::string& t) { return ParseStatus(t).ok(); }), 0);
}

TEST(AuditTextsFuzzTest, StatusFields) {
  const std::string text = Own("status");
  ASSERT_EQ(StatusFields::Parse(text).Decimal("PPid"), static_cast<uint64_t>(getppid()));
  const auto parse = [](const std::string& damaged) {
    const StatusFields fields = StatusFields::Parse(damaged);
    return fields.Decimal("PPid") && fields.Hex("CapEff") && fields.KilobytesAsBytes("VmLck") &&
           fields.Numbers("Uid");
  };
  EXPECT_GT(Refused(text, parse), 0);
}

TEST(AuditTextsFuzzTest, Limits) {
  const std::string text = Own("limits");
  ASSERT_TRUE(ParseMemlockLimits(text).ok());
  EXPECT_GT(Refused(text, [](const std::string& t) { return ParseMemlockLimits(t).ok(); }), 0);
}

// Of a few mappings: ASan's own are many.
std::string FirstLines(const std::string& text, const char* end, int count) {
  size_t at = 0;
  for (; count > 0 && at != std::string::npos; --count) at = text.find(end, at + 1);
  return at == std::string::npos ? text : text.substr(0, text.find('\n', at) + 1);
}

TEST(AuditTextsFuzzTest, Mappings) {
  for (const std::string& text :
       {FirstLines(Own("maps"), "\n", 12), FirstLines(Own("smaps"), "VmFlags", 6)}) {
    ASSERT_TRUE(ParseMappings(text).ok());
    ASSERT_FALSE(ParseMappings(text)->empty());
    EXPECT_GT(Refused(text, [](const std::string& t) { return ParseMappings(t).ok(); }), 0);
  }
}

TEST(AuditTextsFuzzTest, LockedSegments) {
  const std::string text =
      "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
      "      atime      dtime      ctime                   rss                  swap\n"
      "         0          3  3600                 65536  4711     0      0  1000  1000  1000  1000"
      "          0          0 1764187200                 65536                     0\n";
  ASSERT_TRUE(ParseLockedSegments(text).ok());
  ASSERT_EQ(ParseLockedSegments(text)->size(), 1u);
  EXPECT_GT(Refused(text, [](const std::string& t) { return ParseLockedSegments(t).ok(); }), 0);
}

constexpr char kMounts[] =
    "30 25 0:27 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n"
    "31 25 0:28 /a\\040b /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

TEST(AuditTextsFuzzTest, Mounts) {
  ASSERT_EQ(ParseCgroupMounts(kMounts).size(), 2u);
  EXPECT_GT(Refused(kMounts, [](const std::string& t) { return ParseCgroupMounts(t).size() == 2; }),
            0);
}

TEST(AuditTextsFuzzTest, Swaps) {
  const std::string text =
      "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
      "/dev/sda2                               partition\t8388604\t\t0\t\t-2\n"
      "/swap\\040file                           file\t\t1048572\t\t0\t\t-3\n";
  ASSERT_EQ(ParseSwaps(text).size(), 2u);
  EXPECT_GT(Refused(text, [](const std::string& t) { return ParseSwaps(t).size() == 2; }), 0);
}

class CgroupTextFuzzTest : public ::testing::Test {
 protected:
  CgroupTextFuzzTest() {
    char name[] = "/tmp/fuzz-audit-XXXXXX";
    root_ = mkdtemp(name);
    std::filesystem::create_directories(root_ + "/proc/self");
    std::filesystem::create_directories(root_ + "/proc/7");
    Write("/proc/self/mountinfo", kMounts);
  }
  ~CgroupTextFuzzTest() override { std::filesystem::remove_all(root_); }

  void Write(const char* file, const std::string& text) const {
    std::ofstream(root_ + file, std::ios::binary | std::ios::trunc) << text;
  }

  std::string root_;
};

TEST_F(CgroupTextFuzzTest, PathAndWhatItSays) {
  const auto hierarchy = CgroupHierarchy::Find(root_);
  ASSERT_TRUE(hierarchy.ok()) << hierarchy.status();
  const std::string text =
      "12:pids:/x\n4:memory:/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod"
      "0f9c1a2b_1111_2222_3333_444455556666.slice/cri-containerd-"
      "abababababababababababababababababababababababababababababababab.scope\n0::/y\n";
  Write("/proc/7/cgroup", text);
  ASSERT_EQ(ClassifyCgroup(*hierarchy->PathOf(7)).runtime, "containerd");
  const auto parse = [&](const std::string& damaged) {
    Write("/proc/7/cgroup", damaged);
    const auto path = hierarchy->PathOf(7);
    if (!path.ok()) return false;
    EXPECT_LE(ShortCgroupPath(*path).size(), path->size());
    return ClassifyCgroup(*path).runtime == "containerd";
  };
  EXPECT_GT(Refused(text, parse), 0);
}

TEST(AuditTextsFuzzTest, AuxiliaryVector) {
  const std::string bytes = Own("auxv");
  ASSERT_EQ(SecureExecutionOf(bytes), false);
  EXPECT_GT(Refused(bytes, [](const std::string& t) { return SecureExecutionOf(t) == false; }), 0);
}

TEST(AuditTextsFuzzTest, Environment) {
  constexpr char kText[] = "A=1\0LD_PRELOAD=/usr/lib/libpagewarden.so\0B=2";
  const std::string text(kText, sizeof(kText));
  ASSERT_EQ(PreloadOf(text), "/usr/lib/libpagewarden.so");
  const auto parse = [](const std::string& damaged) {
    const std::string preload = PreloadOf(damaged);
    EXPECT_TRUE(preload.empty() || absl::StrContains(damaged, preload));
    return !preload.empty();
  };
  EXPECT_GT(Refused(text, parse), 0);
}

TEST(AuditTextsFuzzTest, UnitFile) {
  const std::string text =
      "[Unit]\nDescription=a \\\n  b\n[Service]\nUser=www-data\nLimitMEMLOCK=64K:8M\n"
      "AmbientCapabilities=CAP_IPC_LOCK CAP_SYS_RESOURCE\nCapabilityBoundingSet=~CAP_SYS_ADMIN\n"
      "SystemCallFilter=~@memlock mlock:EPERM\nMemoryMax=10%\nMemorySwapMax=0\nLimitCORE=0\n"
      "ExecStart=-/usr/sbin/nginx -g \"daemon off;\" ${X}\n";
  const auto settings_of = [](const std::string& damaged) {
    UnitFile unit;
    unit.name = "a.service";
    unit.settings = ParseUnitText(damaged, "/etc/systemd/system/a.service");
    return ReadUnitSettings("/nonexistent", unit);
  };
  ASSERT_EQ(settings_of(text).memlock.hard, 8u << 20);
  const auto parse = [&](const std::string& damaged) {
    const UnitSettings settings = settings_of(damaged);
    return settings.problems.empty() && settings.memlock.hard == 8u << 20;
  };
  EXPECT_GT(Refused(text, parse), 0);
}

}  // namespace
}  // namespace pagewarden
