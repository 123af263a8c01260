// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <utility>

#include "agent/base/unique_fd.h"
#include "agent/run/elf_summary.h"
#include "agent/run/preflight.h"
#include "agent/run/secure_exec.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

absl::StatusOr<ElfSummary> Summarize(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(fd.ok()) << path;
  return ReadElfSummary(fd.get());
}

std::string Build(const TempDirectory& directory, const std::string& flags) {
  const std::string source = directory.Write("main.c", "int main(void) { return 0; }\n");
  const std::string program = directory.path() + "/program";
  EXPECT_EQ(system(("gcc " + flags + " -o " + program + " " + source).c_str()), 0);
  return program;
}

// An ELF note as the Go linker writes it.
std::string AddGoNote(const TempDirectory& directory) {
  directory.Write("note.s",
                  ".section .note.go.buildid,\"a\",@note\n.p2align 2\n.long 4, 4, 4\n"
                  ".asciz \"Go\\0\"\n.long 0\n.section .note.GNU-stack,\"\",@progbits\n");
  return Build(directory, "-static " + directory.path() + "/note.s");
}

TEST(ElfSummary, OfADynamicProgram) {
  const absl::StatusOr<ElfSummary> ls = Summarize("/bin/ls");
  ASSERT_TRUE(ls.ok());
  EXPECT_TRUE(ls->is_64_bit && ls->is_host_machine && ls->has_interpreter);
  EXPECT_FALSE(ls->is_go);
}

TEST(ElfSummary, OfStaticPrograms) {
  for (const char* flags : {"-static", "-static-pie"}) {
    const TempDirectory directory;
    const absl::StatusOr<ElfSummary> program = Summarize(Build(directory, flags));
    ASSERT_TRUE(program.ok());
    EXPECT_TRUE(program->is_host_machine);
    EXPECT_FALSE(program->has_interpreter || program->is_go) << flags;
  }
}

TEST(ElfSummary, SeesTheNoteOfTheGoLinker) {
  const TempDirectory directory;
  const absl::StatusOr<ElfSummary> program = Summarize(AddGoNote(directory));
  ASSERT_TRUE(program.ok());
  EXPECT_TRUE(program->is_go);
}

TEST(ElfSummary, RefusesWhatIsNoElfFile) {
  const TempDirectory directory;
  EXPECT_FALSE(Summarize(directory.Write("empty", "")).ok());
  EXPECT_FALSE(Summarize(directory.Write("script", "#!/bin/sh\necho hello world\n")).ok());
  EXPECT_FALSE(Summarize(directory.Write("cut", ReadFile("/bin/ls").substr(0, 40))).ok());
  EXPECT_FALSE(Summarize(directory.Write("cut", ReadFile("/bin/ls").substr(0, 100))).ok());
}

TEST(ElfSummary, SurvivesDamagedHeaders) {
  const std::string program = ReadFile("/bin/ls").substr(0, 4096);
  const UniqueFd fd(memfd_create("damaged", MFD_CLOEXEC));
  ASSERT_TRUE(fd.ok());
  std::mt19937 random(7);  // fixed: a failure must be found again
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = program;
    for (int change = 0; change < 8; ++change) {
      damaged[4 + random() % 1000] = static_cast<char>(random());
    }
    ASSERT_EQ(pwrite(fd.get(), damaged.data(), damaged.size(), 0), 4096);
    ReadElfSummary(fd.get()).IgnoreError();
  }
}

// "PW010: …", as `run` prints them.
std::vector<std::string> Warnings(const std::string& executable) {
  std::vector<std::string> lines;
  for (const Finding& finding : CheckPreloadable(executable)) lines.push_back(OneLine(finding));
  return lines;
}

TEST(CheckPreloadable, PassesOrdinaryPrograms) { EXPECT_THAT(Warnings("/bin/ls"), IsEmpty()); }

TEST(CheckPreloadable, WarnsOfStaticPrograms) {
  const TempDirectory directory;
  EXPECT_THAT(Warnings(Build(directory, "-static")),
              ElementsAre(AllOf(StartsWith("PW010: "), HasSubstr("static executable"))));
  EXPECT_THAT(Warnings(AddGoNote(directory)),
              ElementsAre(AllOf(StartsWith("PW010: "), HasSubstr("static Go executable"))));
}

TEST(CheckPreloadable, WarnsOfOtherMachines) {
  const TempDirectory directory;
  std::string program = ReadFile("/bin/ls");
  program[EI_CLASS] = ELFCLASS32;
  EXPECT_THAT(Warnings(directory.Write("other", program)),
              ElementsAre(AllOf(StartsWith("PW009: "), HasSubstr("32 bit"))));
  program[EI_CLASS] = ELFCLASS64;
  program[offsetof(Elf64_Ehdr, e_machine)] = static_cast<char>(EM_RISCV);
  EXPECT_THAT(Warnings(directory.Write("other", program)), ElementsAre(StartsWith("PW009: ")));
}

TEST(CheckPreloadable, WarnsOfSetgidPrograms) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to give a file to a group";
  const TempDirectory directory;
  const std::string program = Build(directory, "-O1");
  ASSERT_EQ(chown(program.c_str(), 0, 12345), 0);
  ASSERT_EQ(chmod(program.c_str(), 02755), 0);
  EXPECT_THAT(Warnings(program),
              ElementsAre(AllOf(StartsWith("PW007: "), HasSubstr("setgid 12345"))));
}

TEST(FilePrivileges, AreReadFromTheFile) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to set a file capability";
  const TempDirectory directory;
  const std::string program = Build(directory, "-O1");
  // struct vfs_cap_data, revision 2, effective: CAP_IPC_LOCK.
  const uint32_t capability[5] = {0x02000001, 1u << 14, 0, 0, 0};
  if (setxattr(program.c_str(), "security.capability", capability, sizeof(capability), 0) != 0) {
    GTEST_SKIP() << "this file system keeps no file capabilities";
  }
  const UniqueFd fd(open(program.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(ReadFilePrivileges(fd.get()).has_capabilities);
}

TEST(SecureExecReason, FollowsTheKernel) {
  const CallerIdentity user{1000, 1000, 1000, 1000, false};
  const CallerIdentity root{0, 0, 0, 0, false};
  CallerIdentity confined = user;
  confined.no_new_privileges = true;
  const FilePrivileges setuid_root{0, 0, true, false, false, false};
  const FilePrivileges setgid{0, 110, false, true, false, false};
  const FilePrivileges capable{0, 0, false, false, true, false};
  FilePrivileges nosuid = setuid_root;
  nosuid.on_nosuid_mount = true;

  EXPECT_EQ(SecureExecReason({}, user), "");
  EXPECT_EQ(SecureExecReason(setuid_root, user), "it is setuid 0");
  EXPECT_EQ(SecureExecReason(setuid_root, root), "");
  EXPECT_EQ(SecureExecReason(setuid_root, confined), "");
  EXPECT_EQ(SecureExecReason(nosuid, user), "");
  EXPECT_EQ(SecureExecReason(setgid, user), "it is setgid 110");
  EXPECT_EQ(SecureExecReason(setgid, root), "it is setgid 110");
  EXPECT_EQ(SecureExecReason(capable, user), "it has file capabilities");
  EXPECT_EQ(SecureExecReason(capable, confined), "it has file capabilities");
  EXPECT_EQ(SecureExecReason(capable, root), "");
  EXPECT_EQ(SecureExecReason({}, {1000, 0, 1000, 1000, false}),
            "the real and effective user differ");
}

std::string MemlockWarning(const MemlockNeed& need, const MemlockLimits& limits, bool can_exceed) {
  const auto finding = CheckMemlock("/bin/x", need, limits, can_exceed);
  return finding ? OneLine(*finding) : "";
}

TEST(CheckMemlock, ComparesTheHardLimitWithTheNeed) {
  const MemlockLimits small{uint64_t{65536}, uint64_t{65536}};
  const std::string warning = MemlockWarning({1 << 20}, small, false);
  EXPECT_THAT(warning, StartsWith("PW003: /bin/x locks up to 1048576 bytes (1024 KiB)"));
  EXPECT_THAT(warning, HasSubstr("65536 bytes (64 KiB)"));
  EXPECT_EQ(MemlockWarning({1 << 20}, small, true), "");
  EXPECT_EQ(MemlockWarning({65536}, small, false), "");
  EXPECT_EQ(MemlockWarning({1 << 20}, {uint64_t{65536}, std::nullopt}, false), "");
  EXPECT_EQ(MemlockWarning({1 << 20}, {uint64_t{0}, uint64_t{8 << 20}}, false), "");
}

TEST(CheckMemlock, CountsOfAGrowingPolicyWhatItLocksAtItsStart) {
  const MemlockLimits small{uint64_t{65536}, uint64_t{65536}};
  const std::string warning = MemlockWarning({1 << 20, true}, small, false);
  EXPECT_THAT(warning, HasSubstr("locks at its start 1048576 bytes (1024 KiB)"));
  EXPECT_THAT(warning, HasSubstr("stays unlocked, and growth stops at the limit"));
  EXPECT_EQ(MemlockWarning({65536, true}, small, false), "");
}

AllocationPolicy WithBacking(std::vector<abi::Backing> backing) {
  AllocationPolicy policy;
  policy.spec.arenas.emplace_back().backing = std::move(backing);
  return policy;
}

std::string SecretWarning(std::vector<abi::Backing> backing) {
  const auto finding = CheckSecretMemory(WithBacking(std::move(backing)));
  return finding ? OneLine(*finding) : "";
}

TEST(CheckSecretMemory, WarnsOnlyWhereThisKernelLacksIt) {
  EXPECT_EQ(SecretWarning({abi::Backing::kLockedAnonymous}), "");
  const auto secret = abi::Backing::kSecretMemory;
  const std::string alone = SecretWarning({secret});
  const std::string first = SecretWarning({secret, abi::Backing::kLockedAnonymous});
  const UniqueFd fd(static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC)));
  if (fd.ok()) {
    EXPECT_EQ(alone, "");
    EXPECT_EQ(first, "");
  } else if (errno == ENOSYS) {
    EXPECT_THAT(alone, AllOf(StartsWith("PW017: "), HasSubstr("it stays unlocked")));
    EXPECT_THAT(first, AllOf(StartsWith("PW017: "), HasSubstr("locked anonymous memory instead")));
  }
}

}  // namespace
}  // namespace pagewarden
