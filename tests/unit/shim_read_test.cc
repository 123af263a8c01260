// SPDX-License-Identifier: Apache-2.0
// How a ledger is found in a process: in this one, which a fake shim is put into.
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "agent/shim/shim_state.h"
#include "tests/unit/fake_shim.h"

namespace pagewarden {
namespace {

using abi::Ledger;
using absl::StatusCode;

class ReadShimStateTest : public ::testing::Test {
 protected:
  static absl::StatusOr<std::optional<ShimState>> Read() {
    const auto mappings = ReadMappingsWithoutFlags(getpid());
    return mappings.ok() ? ReadShimState(getpid(), *mappings) : mappings.status();
  }
};

TEST_F(ReadShimStateTest, NulloptWithoutTheShim) {
  const auto state = Read();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE(state->has_value());
}

TEST_F(ReadShimStateTest, FindsTheLedgerOnALaterPage) {
  const FakeShim shim;
  shim.Place(2);
  const auto state = Read();
  ASSERT_TRUE(state.ok()) << state.status();
  ASSERT_TRUE(state->has_value());
  EXPECT_EQ((*state)->policy, "nginx-tls-keys");
  EXPECT_EQ((*state)->fence_base, reinterpret_cast<uint64_t>(shim.fence(0)));
  EXPECT_EQ((*state)->arenas[0].used_bytes, 480u + 4096);
  EXPECT_EQ((*state)->tags[1].name, "passwords");
}

TEST_F(ReadShimStateTest, FindsTheLedgerOfADeletedLibrary) {
  const FakeShim shim;
  shim.Place(0);
  ASSERT_EQ(unlink(shim.path().c_str()), 0);
  const auto state = Read();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(state->has_value());
}

TEST_F(ReadShimStateTest, IgnoresOtherNames) {
  const FakeShim shim("notlibpagewarden.so");
  shim.Place(0);
  const auto state = Read();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE(state->has_value());
}

TEST_F(ReadShimStateTest, DoesNotTrustASharedMapping) {
  const FakeShim shim("libpagewarden.so", MAP_SHARED);
  shim.Place(0);
  EXPECT_EQ(Read().status().code(), StatusCode::kDataLoss);
}

TEST_F(ReadShimStateTest, SkipsACopyThatIsNotAtItsAddress) {
  const FakeShim shim;
  shim.Place(3);
  Ledger copy = shim.LedgerFor(3);
  strcpy(copy.policy, "forged");
  memcpy(shim.page(1), &copy, sizeof(copy));
  const auto state = Read();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ((*state)->policy, "nginx-tls-keys");
}

TEST_F(ReadShimStateTest, SaysThatThereIsNoLedger) {
  const FakeShim shim;
  EXPECT_EQ(Read().status().code(), StatusCode::kDataLoss);
}

TEST_F(ReadShimStateTest, RefusesAnArenaWithAHole) {
  const FakeShim shim;
  shim.Place(0);
  ASSERT_EQ(munmap(shim.arena() + 3 * 4096, 4096), 0);
  EXPECT_EQ(Read().status().code(), StatusCode::kDataLoss);
}

// As in a raw clone under onFork: Exclude: the ledger is still the parent's.
TEST_F(ReadShimStateTest, SeesThatAnArenaWasNotPassedOn) {
  const FakeShim shim;
  shim.Place(0);
  ASSERT_EQ(munmap(shim.arena(), FakeShim::kArenaBytes), 0);
  const auto state = Read();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE((*state)->arenas[0].IsInherited());
  EXPECT_EQ((*state)->arenas[0].locked_bytes, 0u);
}

TEST_F(ReadShimStateTest, RefusesTablesThatCannotBeRead) {
  const FakeShim shim;
  shim.Place(0);
  ASSERT_EQ(munmap(shim.fence(kBooksOffset), 4096), 0);
  EXPECT_EQ(Read().status().code(), StatusCode::kDataLoss);
}

TEST_F(ReadShimStateTest, RefusesABrokenLedger) {
  const FakeShim shim;
  shim.Place(0);
  shim.page(0)[offsetof(Ledger, arena_count)] = 99;
  EXPECT_EQ(Read().status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace pagewarden
