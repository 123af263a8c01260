// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "agent/proc/mappings.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;

constexpr char kSmaps[] =
    "55d0c0000000-55d0c0021000 r-xp 00001000 fe:00 1234                       /usr/bin/cat\n"
    "Size:                132 kB\n"
    "Locked:                0 kB\n"
    "THPeligible:           0\n"
    "VmFlags: rd ex mr mw me \n"
    "7f0000000000-7f0000001000 rw-s 00000000 00:01 77    /tmp/a file (deleted)\n"
    "VmFlags: rd wr sh lo dd \n"
    "7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 \n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

TEST(ParseMappings, ReadsEveryField) {
  const auto mappings = ParseMappings(kSmaps);
  ASSERT_TRUE(mappings.ok()) << mappings.status();
  ASSERT_EQ(mappings->size(), 4u);
  const Mapping& text = (*mappings)[0];
  EXPECT_EQ(text.start, 0x55d0c0000000u);
  EXPECT_EQ(text.end, 0x55d0c0021000u);
  EXPECT_TRUE(text.readable && text.executable);
  EXPECT_FALSE(text.writable || text.shared || text.locked);
  EXPECT_TRUE(text.dumpable);
  EXPECT_EQ(text.file_offset, 0x1000u);
  EXPECT_EQ(text.name, "/usr/bin/cat");
  const Mapping& file = (*mappings)[1];
  EXPECT_TRUE(file.shared && file.locked && file.writable);
  EXPECT_FALSE(file.dumpable);
  EXPECT_EQ(file.name, "/tmp/a file (deleted)");
  EXPECT_EQ((*mappings)[2].name, "");
  EXPECT_EQ((*mappings)[3].start, 0xffffffffff600000u);
}

TEST(ParseMappings, KeepsNamesAsTheKernelPrintsThem) {
  const auto mappings = ParseMappings(
      "1000-2000 rw-p 00000000 00:00 5 /tmp/new\\012line: 1000-2000 (deleted)\n"
      "3000-4000 rw-p 00000000 00:00 0 [anon:VmFlags: lo]\n");
  ASSERT_TRUE(mappings.ok()) << mappings.status();
  EXPECT_EQ((*mappings)[0].name, "/tmp/new\\012line: 1000-2000 (deleted)");
  EXPECT_EQ((*mappings)[1].name, "[anon:VmFlags: lo]");
  EXPECT_FALSE((*mappings)[1].locked);
}

TEST(ParseMappings, AcceptsAnEmptyFile) {
  const auto mappings = ParseMappings("");
  ASSERT_TRUE(mappings.ok());
  EXPECT_TRUE(mappings->empty());
}

class MalformedMappings : public ::testing::TestWithParam<const char*> {};

TEST_P(MalformedMappings, IsRefused) {
  const auto mappings = ParseMappings(GetParam());
  ASSERT_FALSE(mappings.ok());
  EXPECT_EQ(mappings.status().code(), absl::StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, MalformedMappings,
    ::testing::Values("\n", "1000-2000 rw-p 00000000 00:00 0", "1000-2000 rw-p 00000000 00:00\n",
                      "1000 rw-p 00000000 00:00 0\n", "2000-1000 rw-p 00000000 00:00 0\n",
                      "1000-1000 rw-p 00000000 00:00 0\n",
                      "10000000000000000-20000000000000000 rw-p 00000000 00:00 0\n",
                      "1000-2000 rwxq 00000000 00:00 0\n", "1000-2000 rw-pp 00000000 00:00 0\n",
                      "1000-2000 rw 00000000 00:00 0\n", "1000-2000 rw-p x 00:00 0\n",
                      "1000-2000 rw-p 00000000 0000 0\n", "1000-2000 rw-p 00000000 00:00 0x\n",
                      "1000-2000 rw-p 00000000 00:00 99999999999999999999 a\n",
                      "-1000-2000 rw-p 00000000 00:00 0\n", "VmFlags: lo\n",
                      "1000-2000 rw-p 00000000 00:00 0\nnot a field\n"));

TEST(ParseMappings, NamesTheLineButNotItsText) {
  const auto mappings = ParseMappings("1000-2000 rw-p 00000000 00:00 0\nhostile \x1b[2J\n");
  EXPECT_THAT(std::string(mappings.status().message()), HasSubstr("line 2"));
  EXPECT_EQ(mappings.status().message().find('\x1b'), absl::string_view::npos);
}

TEST(ReadMappings, SeesALockedPageOfThisProcess) {
  const size_t bytes = 3 * 4096;
  void* const pages =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mlock(pages, bytes), 0);
  ASSERT_EQ(madvise(pages, bytes, MADV_DONTDUMP), 0);
  const auto start = reinterpret_cast<uint64_t>(pages);
  for (const bool flags : {true, false}) {
    const auto mappings = flags ? ReadMappings(getpid()) : ReadMappingsWithoutFlags(getpid());
    ASSERT_TRUE(mappings.ok()) << mappings.status();
    const auto found = std::find_if(mappings->begin(), mappings->end(), [&](const Mapping& m) {
      return m.start <= start && start + bytes <= m.end;
    });
    ASSERT_NE(found, mappings->end());
    EXPECT_EQ(found->locked, flags);
    EXPECT_EQ(found->dumpable, !flags);
    EXPECT_TRUE(found->readable && found->writable);
  }
  munmap(pages, bytes);
}

TEST(ReadMappings, SaysThatAProcessIsMissing) {
  EXPECT_EQ(ReadMappings(1 << 22).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace pagewarden
