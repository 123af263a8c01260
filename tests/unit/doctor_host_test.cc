// SPDX-License-Identifier: Apache-2.0
// Hosts that the machine of the tests is not: trees of /proc and /sys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "agent/doctor/host_checks.h"
#include "agent/doctor/host_facts.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kSwaps[] = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

class Host {
 public:
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = directory_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void Link(const std::string& path, const std::string& target) {
    const std::filesystem::path file = directory_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::filesystem::create_symlink(target, file);
  }
  void SwapTo(const std::string& path) {
    Write("/proc/swaps", kSwaps + path + " partition\t1048572\t0\t-2\n");
  }
  HostFacts Facts() const { return ReadHostFacts(directory_.path()); }
  std::vector<Finding> Findings() const { return CheckHost(Facts()); }

 private:
  const TempDirectory directory_;
};

std::vector<std::string> Codes(const std::vector<Finding>& findings) {
  std::vector<std::string> codes;
  for (const Finding& finding : findings) codes.push_back(CodeName(finding.code));
  return codes;
}

const Finding& Of(const std::vector<Finding>& findings, FindingCode code) {
  return *std::find_if(findings.begin(), findings.end(),
                       [code](const Finding& finding) { return finding.code == code; });
}

TEST(Swap, OnAPartitionIsInClear) {
  Host host;
  host.SwapTo("/dev/sda2");
  host.Write("/sys/class/block/sda2/size", "1");
  const auto findings = host.Findings();
  EXPECT_THAT(Codes(findings), Contains("PW027"));
  EXPECT_THAT(Of(findings, FindingCode::kPlainSwap).headline, HasSubstr("on sda2"));
  EXPECT_FALSE(host.Facts().SwapIsSafe());
}

TEST(Swap, OnLvmOnLuksIsEncrypted) {
  Host host;
  host.SwapTo("/dev/dm-1");
  host.Write("/sys/class/block/dm-1/dm/uuid", "LVM-abcdef\n");
  host.Write("/sys/class/block/dm-1/slaves/dm-0/x", "");
  host.Write("/sys/class/block/dm-0/dm/uuid", "CRYPT-LUKS2-0123-crypt\n");
  host.Write("/sys/class/block/dm-0/slaves/sda3/x", "");
  EXPECT_TRUE(host.Facts().SwapIsSafe());
  EXPECT_EQ(host.Facts().swap->front().device, "dm-0 (CRYPT-LUKS2)");
  EXPECT_THAT(Codes(host.Findings()), Not(Contains("PW027")));
}

TEST(Swap, OnTwoDisksIsAsSafeAsTheWorse) {
  Host host;
  host.SwapTo("/dev/dm-1");
  host.Write("/sys/class/block/dm-1/dm/uuid", "LVM-abcdef\n");
  host.Write("/sys/class/block/dm-1/slaves/dm-0/x", "");
  host.Write("/sys/class/block/dm-1/slaves/sdb1/x", "");
  host.Write("/sys/class/block/dm-0/dm/uuid", "CRYPT-PLAIN-x\n");
  host.Write("/sys/class/block/sdb1/size", "1");
  EXPECT_FALSE(host.Facts().SwapIsSafe());
}

TEST(Swap, OfAFileLiesWhereItsFileSystemDoes) {
  Host host;
  host.Write("/proc/swaps", std::string(kSwaps) + "/var/swap\\040file file 1048572 0 -2\n");
  host.Write("/proc/self/mountinfo",
             "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 0:5 / /var rw - btrfs /dev/dm-0 rw\n");
  host.Write("/sys/class/block/sda1/size", "1");
  host.Write("/sys/class/block/dm-0/dm/uuid", "CRYPT-LUKS2-0123-crypt\n");
  EXPECT_EQ(host.Facts().swap->front().path, "/var/swap file");
  EXPECT_TRUE(host.Facts().SwapIsSafe());
}

TEST(Swap, OfALoopGoesDownToItsFile) {
  Host host;
  host.SwapTo("/dev/loop3");
  host.Write("/sys/class/block/loop3/loop/backing_file", "/swap.img\n");
  host.Write("/proc/self/mountinfo", "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
  host.Write("/sys/class/block/sda1/size", "1");
  EXPECT_EQ(host.Facts().swap->front().storage, Storage::kPlain);
}

TEST(Swap, ThatLoopsIsUnknown) {
  Host host;
  host.SwapTo("/dev/dm-0");
  host.Write("/sys/class/block/dm-0/slaves/dm-0/x", "");
  EXPECT_EQ(host.Facts().swap->front().storage, Storage::kUnknown);
  EXPECT_THAT(Codes(host.Findings()), Contains("PW027"));
}

TEST(Swap, ToZramStaysInMemoryUnlessItHasADevice) {
  Host host;
  host.SwapTo("/dev/zram0");
  host.Write("/sys/class/block/zram0/backing_dev", "none\n");
  auto findings = host.Findings();
  EXPECT_EQ(Of(findings, FindingCode::kCompressedSwap).severity, Severity::kInfo);
  EXPECT_THAT(Codes(findings), Not(Contains("PW027")));
  host.Write("/sys/class/block/zram0/backing_dev", "/dev/sdb1\n");
  findings = host.Findings();
  EXPECT_EQ(Of(findings, FindingCode::kCompressedSwap).severity, Severity::kWarning);
  EXPECT_FALSE(host.Facts().SwapIsSafe());
}

TEST(Swap, NoneIsSaid) {
  Host host;
  host.Write("/proc/swaps", kSwaps);
  EXPECT_THAT(Codes(host.Findings()), Contains("PW026"));
}

TEST(Swap, ThatCannotBeReadIsNamed) {
  const Host host;
  EXPECT_THAT(host.Facts().unreadable, Contains(HasSubstr("/proc/swaps")));
  EXPECT_THAT(Codes(host.Findings()), Not(Contains("PW026")));
}

TEST(Swap, MalformedRowsAreLeftOut) {
  EXPECT_THAT(ParseSwaps("Filename Type Size Used Priority\nx\n/dev/a b c d e\n\\0 1\n"),
              IsEmpty());
}

TEST(Hibernation, CountsWhereItIsNotTurnedOff) {
  Host host;
  host.SwapTo("/dev/sda2");
  host.Write("/sys/class/block/sda2/size", "1");
  host.Write("/sys/power/state", "freeze mem disk\n");
  host.Write("/sys/power/disk", "[platform] shutdown reboot\n");
  host.Write("/proc/cmdline", "quiet resume=/dev/sda2\n");
  const auto findings = host.Findings();
  const Finding& finding = Of(findings, FindingCode::kHibernation);
  EXPECT_EQ(finding.severity, Severity::kWarning);
  EXPECT_THAT(finding.headline, HasSubstr("/dev/sda2"));
  host.Write("/sys/power/disk", "[disabled]\n");
  EXPECT_THAT(Codes(host.Findings()), Not(Contains("PW028")));
}

TEST(CoreDumps, ThatArePipedAreAWarning) {
  Host host;
  host.Write("/proc/sys/kernel/core_pattern", "|/usr/lib/systemd/systemd-coredump %P\n");
  auto findings = host.Findings();
  EXPECT_EQ(Of(findings, FindingCode::kCoreDumps).severity, Severity::kWarning);
  EXPECT_THAT(Of(findings, FindingCode::kCoreDumps).fixes.front().content,
              HasSubstr("Storage=none"));
  host.Write("/proc/sys/kernel/core_pattern", "core\n");
  findings = host.Findings();
  EXPECT_EQ(Of(findings, FindingCode::kCoreDumps).severity, Severity::kInfo);
}

TEST(Settings, AreJudged) {
  Host host;
  host.Write("/proc/sys/fs/suid_dumpable", "1\n");
  host.Write("/proc/sys/vm/max_map_count", "1000\n");
  EXPECT_THAT(Codes(host.Findings()), Contains("PW030"));
  EXPECT_THAT(Codes(host.Findings()), Contains("PW013"));
  HostFacts facts;
  facts.secret_memory = false;
  EXPECT_THAT(Codes(CheckHost(facts)), Contains("PW017"));
}

TEST(Processes, AreSummedUp) {
  ProcessRow row;
  row.pid = 7;
  row.comm = "evil\n";
  row.soft_limit_bytes = 0;
  std::vector<Finding> findings = CheckProcesses({row, row});
  ASSERT_EQ(Codes(findings), std::vector<std::string>{"PW001"});
  EXPECT_THAT(findings[0].headline, HasSubstr("2 processes that may lock nothing: evil\\x0a[7]"));
  row.soft_limit_bytes.reset();
  row.drift_bytes = 4096;
  row.shim.emplace().lock_errors = 1;
  findings = CheckProcesses({row});
  EXPECT_EQ(Codes(findings), (std::vector<std::string>{"PW025", "PW032", "PW003"}));
}

}  // namespace
}  // namespace pagewarden
