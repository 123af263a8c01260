// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <limits>
#include <utility>

#include "agent/proc/memory.h"

namespace pagewarden {
namespace {

constexpr size_t kPage = 4096;

class ProcessMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    pages_ = static_cast<char*>(
        mmap(nullptr, 3 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(pages_, MAP_FAILED);
    memset(pages_, 'x', 3 * kPage);
    ASSERT_EQ(munmap(pages_ + 2 * kPage, kPage), 0);
  }
  void TearDown() override { munmap(pages_, 2 * kPage); }
  uint64_t Address(size_t offset) const { return reinterpret_cast<uint64_t>(pages_) + offset; }

  char* pages_ = nullptr;
  char buffer_[3 * kPage] = {};
};

TEST_F(ProcessMemoryTest, ReadsUpToTheFirstMissingPage) {
  const auto memory = ProcessMemory::Open(getpid());
  ASSERT_TRUE(memory.ok()) << memory.status();
  memcpy(pages_ + 100, "secret", 6);
  EXPECT_EQ(memory->Read(Address(100), buffer_, 6), 6u);
  EXPECT_EQ(memcmp(buffer_, "secret", 6), 0);
  EXPECT_EQ(memory->Read(Address(kPage + 1), buffer_, sizeof(buffer_)), kPage - 1);
  EXPECT_EQ(memory->Read(Address(2 * kPage), buffer_, 1), 0u);
  EXPECT_EQ(memory->Read(Address(0), buffer_, 0), 0u);
}

TEST_F(ProcessMemoryTest, SurvivesAddressesAtTheEdges) {
  const auto memory = ProcessMemory::Open(getpid());
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(memory->Read(0, buffer_, 16), 0u);
  EXPECT_EQ(memory->Read(std::numeric_limits<uint64_t>::max() - 3, buffer_, 16), 0u);
  EXPECT_EQ(memory->Read(uint64_t{1} << 63, buffer_, 16), 0u);
}

TEST_F(ProcessMemoryTest, MovesItsDescriptor) {
  auto memory = ProcessMemory::Open(getpid());
  ASSERT_TRUE(memory.ok());
  ProcessMemory moved = *std::move(memory);
  EXPECT_EQ(moved.Read(Address(0), buffer_, 1), 1u);
  ProcessMemory other = *ProcessMemory::Open(getpid());
  other = std::move(moved);
  EXPECT_EQ(other.Read(Address(0), buffer_, 1), 1u);
}

TEST(ProcessMemory, SaysThatAProcessIsMissing) {
  EXPECT_EQ(ProcessMemory::Open(1 << 22).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace pagewarden
