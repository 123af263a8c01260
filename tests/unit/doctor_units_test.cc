// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>

#include <filesystem>
#include <fstream>

#include "agent/doctor/executable_facts.h"
#include "agent/doctor/limits_conf.h"
#include "agent/doctor/process_facts.h"
#include "agent/doctor/units/unit_settings.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class Units : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::string root() const { return directory_.path(); }
  UnitSettings Read(const std::string& name) const {
    const auto unit = LoadUnit(root(), name);
    EXPECT_TRUE(unit.ok()) << unit.status();
    return unit.ok() ? ReadUnitSettings(root(), *unit) : UnitSettings();
  }
  UnitSettings Of(const std::string& settings) {
    Write("/etc/systemd/system/a.service", "[Service]\n" + settings);
    return Read("a");
  }

 private:
  const TempDirectory directory_;
};

TEST_F(Units, EtcMasksUsrAndDropInsComeByName) {
  Write("/usr/lib/systemd/system/a.service", "[Service]\nLimitMEMLOCK=1M\n");
  Write("/etc/systemd/system/a.service", "[Service]\nLimitMEMLOCK=2M\n");
  EXPECT_EQ(Read("a.service").memlock.hard, 2u << 20);
  Write("/usr/lib/systemd/system/a.service.d/20.conf", "[Service]\nLimitMEMLOCK=3M\n");
  Write("/etc/systemd/system/a.service.d/10.conf", "[Service]\nLimitMEMLOCK=4M\n");
  EXPECT_EQ(Read("a").memlock.hard, 3u << 20);
  std::filesystem::create_directories(root() + "/run/systemd/system/a.service.d");
  std::filesystem::create_symlink("/dev/null", root() + "/run/systemd/system/a.service.d/20.conf");
  EXPECT_EQ(Read("a").memlock.hard, 4u << 20);
}

TEST_F(Units, TemplatesAndPrefixesHaveDropIns) {
  Write("/usr/lib/systemd/system/a-b@.service", "[Service]\n");
  EXPECT_EQ(Read("a-b@x.service").memlock.hard, 8u << 20);
  Write("/etc/systemd/system/a-.service.d/10.conf", "[Service]\nLimitMEMLOCK=1M\n");
  EXPECT_EQ(Read("a-b@x.service").memlock.hard, 1u << 20);
  Write("/etc/systemd/system/a-b@.service.d/20.conf", "[Service]\nLimitMEMLOCK=2M\n");
  EXPECT_EQ(Read("a-b@x.service").memlock.hard, 2u << 20);
  Write("/etc/systemd/system/a-b@x.service.d/30.conf", "[Service]\nLimitMEMLOCK=3M\n");
  EXPECT_EQ(Read("a-b@x.service").memlock.hard, 3u << 20);
}

TEST_F(Units, DefaultOfTheManager) {
  EXPECT_EQ(Of("").memlock.soft, 8u << 20);
  Write("/etc/systemd/system.conf.d/x.conf", "[Manager]\nDefaultLimitMEMLOCK=16M:infinity\n");
  EXPECT_EQ(Of("").memlock.soft, 16u << 20);
  EXPECT_EQ(Of("").memlock.hard, std::nullopt);
}

TEST_F(Units, LinesAndLimits) {
  EXPECT_EQ(Of("LimitMEMLOCK=64K:1M\n").memlock.soft, 65536u);
  EXPECT_EQ(Of("LimitMEMLOCK = 4096 \n").memlock.hard, 4096u);
  EXPECT_EQ(Of("#LimitMEMLOCK=1\n; x\nLimitMEMLOCK=\\\n infinity\n").memlock.hard, std::nullopt);
  const UnitSettings wrong = Of("LimitMEMLOCK=12Q\n");
  EXPECT_EQ(wrong.memlock.hard, 8u << 20);
  EXPECT_THAT(wrong.problems, SizeIs(1));
  MemlockLimits limits;
  EXPECT_FALSE(ParseUnitLimit("99999999999999999999", limits));
  EXPECT_FALSE(ParseUnitLimit("17179869184G", limits));
  EXPECT_FALSE(ParseUnitLimit("1:", limits));
}

TEST_F(Units, Capabilities) {
  EXPECT_TRUE(Of("").HasIpcLock());  // root
  EXPECT_FALSE(Of("User=www-data\n").HasIpcLock());
  EXPECT_TRUE(Of("User=www-data\nAmbientCapabilities=CAP_NET_RAW cap_ipc_lock\n").HasIpcLock());
  EXPECT_FALSE(Of("CapabilityBoundingSet=~CAP_IPC_LOCK\n").HasIpcLock());
  EXPECT_FALSE(Of("CapabilityBoundingSet=\n").HasIpcLock());
  EXPECT_TRUE(
      Of("CapabilityBoundingSet=CAP_CHOWN\nCapabilityBoundingSet=CAP_IPC_LOCK\n").HasIpcLock());
  EXPECT_FALSE(Of("DynamicUser=yes\n").IsRoot());
}

FilterAnswer AnswerTo(const UnitSettings& settings, const std::string& name) {
  for (const ProbedCall& call : settings.filter->calls) {
    if (call.name == name) return call.answer;
  }
  return FilterAnswer::kUnknown;
}

TEST_F(Units, SystemCallFilter) {
  EXPECT_FALSE(Of("").filter.has_value());
  EXPECT_EQ(AnswerTo(Of("SystemCallFilter=@basic-io\n"), "mlock"), FilterAnswer::kKilled);
  EXPECT_EQ(AnswerTo(Of("SystemCallFilter=@system-service\n"), "mlock2"), FilterAnswer::kAllowed);
  EXPECT_EQ(AnswerTo(Of("SystemCallFilter=@system-service\n"), "memfd_secret"),
            FilterAnswer::kKilled);
  EXPECT_EQ(AnswerTo(Of("SystemCallFilter=@system-service\nSystemCallFilter=~@memlock\n"
                        "SystemCallErrorNumber=EPERM\n"),
                     "mlock"),
            FilterAnswer::kRefused);
  EXPECT_EQ(AnswerTo(Of("SystemCallFilter=~mlock:EACCES @debug\n"), "mlock"),
            FilterAnswer::kRefused);
  EXPECT_EQ(AnswerTo(Of("SystemCallFilter=~mlock @debug\n"), "mlock2"), FilterAnswer::kAllowed);
  EXPECT_FALSE(Of("SystemCallFilter=@basic-io\nSystemCallFilter=\n").filter.has_value());
}

TEST_F(Units, NamesThatLeaveTheDirectoriesAreRefused) {
  for (const char* name : {"../a.service", "", "a/b.service", ".service"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(LoadUnit(root(), name).status())) << name;
  }
  EXPECT_TRUE(absl::IsNotFound(LoadUnit(root(), "none").status()));
}

TEST_F(Units, LinksAreFollowedInsideTheImage) {
  Write("/usr/lib/systemd/system/real.service", "[Service]\nLimitMEMLOCK=1M\n");
  std::filesystem::create_directories(root() + "/etc/systemd/system");
  std::filesystem::create_symlink("/usr/lib/systemd/system/real.service",
                                  root() + "/etc/systemd/system/alias.service");
  std::filesystem::create_symlink("loop.service", root() + "/etc/systemd/system/loop.service");
  EXPECT_EQ(Read("alias").memlock.hard, 1u << 20);
  EXPECT_TRUE(absl::IsFailedPrecondition(LoadUnit(root(), "loop").status()));
}

TEST_F(Units, LimitsConf) {
  Write("/etc/security/limits.conf", "* - memlock 64 # KiB\n@ssl hard memlock 128\n");
  Write("/etc/security/limits.d/90.conf", "alice - memlock unlimited\nbob soft memlock 1\nx y\n");
  EXPECT_EQ(ConfiguredMemlock(root(), "carol", {})->hard_bytes, 65536u);
  EXPECT_EQ(ConfiguredMemlock(root(), "carol", {"ssl"})->hard_bytes, 131072u);
  EXPECT_EQ(ConfiguredMemlock(root(), "alice", {"ssl"})->hard_bytes, std::nullopt);
  EXPECT_EQ(ConfiguredMemlock(root(), "bob", {})->hard_bytes, 65536u);
  EXPECT_FALSE(ConfiguredMemlock(root(), "root", {}).has_value());  // not by the star
}

TEST(SharedMemory, CountsLockedSegmentsOfTheCreator) {
  const std::string text =
      "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
      "      atime      dtime      ctime                   rss                  swap\n"
      "         0          0  2600                 49152     1     1      1  1000     0  1000     "
      "0 0"
      " 0 0 0 0\n"
      "         0          1   600                 49152     1     1      1  1000     0  1000     "
      "0 0"
      " 0 0 0 0\n"
      "         0          2  2600                  4096     1     1      1  1000     0     0     "
      "0 0"
      " 0 0 0 0\ngarbage\n";
  EXPECT_EQ(ShmLockedBytes(text, 1000), 49152u);
  EXPECT_EQ(ShmLockedBytes(text, 0), 4096u);
}

TEST(FileCapabilities, AreParsedWithinBounds) {
  const uint32_t words[5] = {VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, 1u << CAP_IPC_LOCK, 0, 1,
                             0};
  const std::string attribute(reinterpret_cast<const char*>(words), sizeof(words));
  const FileCapabilities parsed = ParseFileCapabilities(attribute);
  EXPECT_TRUE(parsed.effective);
  EXPECT_EQ(parsed.permitted, (uint64_t{1} << CAP_IPC_LOCK) | uint64_t{1} << 32);
  for (size_t size = 0; size < attribute.size(); ++size) {
    EXPECT_EQ(ParseFileCapabilities(attribute.substr(0, size)).permitted, 0u) << size;
  }
}

}  // namespace
}  // namespace pagewarden
