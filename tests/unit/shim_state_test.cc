// SPDX-License-Identifier: Apache-2.0
#include "agent/shim/shim_state.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <limits>
#include <random>
#include <string>

#include "agent/shim/ledger_validation.h"
#include "preload/abi/ledger.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {
namespace {

using abi::Ledger;
using absl::StatusCode;

constexpr uint64_t kAddress = 0x7f0000000000;
constexpr uint64_t kFence = 0x7e0000000000;

Ledger GoodLedger(uint64_t address = kAddress, uint64_t fence = kFence) {
  Ledger ledger = {};
  memcpy(ledger.magic, abi::kLedgerMagic, sizeof(ledger.magic));
  ledger.version = abi::kLedgerVersion;
  ledger.bytes = sizeof(Ledger);
  ledger.self = address;
  ledger.state = abi::ShimState::kActive;
  ledger.mode = static_cast<uint32_t>(abi::Mode::kEnforce);
  strcpy(ledger.policy, "nginx-tls-keys");
  ledger.fence_base = fence;
  ledger.fence_bytes = 16 * 4096;
  ledger.arena_count = 1;
  abi::LedgerArena& arena = ledger.arenas[0];
  strcpy(arena.name, "default");
  arena.base = fence + 4096;
  arena.capacity_bytes = 8 * 4096;
  arena.locked_bytes = 8 * 4096;
  arena.used_bytes = 4096;
  arena.peak_used_bytes = 8192;
  arena.live_allocations = 3;
  arena.total_allocations = 5;
  arena.fallbacks[abi::kFallbackCapacity] = 1;
  arena.fallbacks[abi::kFallbackTooLarge] = 2;
  return ledger;
}

absl::StatusOr<ShimState> Validate(const Ledger& ledger, uint64_t address = kAddress) {
  return ValidateLedger({reinterpret_cast<const char*>(&ledger), sizeof(ledger)}, address);
}

TEST(ValidateLedger, ReadsEveryField) {
  const auto state = Validate(GoodLedger());
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->policy, "nginx-tls-keys");
  EXPECT_EQ(state->mode, "Enforce");
  EXPECT_TRUE(state->active);
  EXPECT_EQ(state->uncovered, "");
  EXPECT_EQ(state->fence_base, kFence);
  EXPECT_EQ(state->fence_bytes, 16u * 4096);
  ASSERT_EQ(state->arenas.size(), 1u);
  const ShimArena& arena = state->arenas[0];
  EXPECT_EQ(arena.name, "default");
  EXPECT_EQ(arena.base, kFence + 4096);
  EXPECT_EQ(arena.capacity_bytes, 8u * 4096);
  EXPECT_EQ(arena.locked_bytes, 8u * 4096);
  EXPECT_EQ(arena.used_bytes, 4096u);
  EXPECT_EQ(arena.peak_used_bytes, 8192u);
  EXPECT_EQ(arena.live_allocations, 3u);
  EXPECT_EQ(arena.total_allocations, 5u);
  EXPECT_EQ(arena.fallbacks, 3u);
}

TEST(ValidateLedger, NamesEveryReason) {
  for (uint32_t reason = 1; reason <= static_cast<uint32_t>(abi::Uncovered::kNoNextAllocator);
       ++reason) {
    Ledger ledger = GoodLedger();
    ledger.state = abi::ShimState::kUncovered;
    ledger.uncovered = static_cast<abi::Uncovered>(reason);
    const auto state = Validate(ledger);
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_FALSE(state->active);
    EXPECT_NE(state->uncovered, "");
  }
  Ledger ledger = GoodLedger();
  ledger.uncovered = abi::Uncovered::kLockFailed;
  EXPECT_EQ(Validate(ledger)->uncovered, "lock_failed");
}

TEST(ValidateLedger, CapsTheSumOfForgedFallbacks) {
  Ledger ledger = GoodLedger();
  for (uint64_t& count : ledger.arenas[0].fallbacks) count = std::numeric_limits<uint64_t>::max();
  const auto state = Validate(ledger);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->arenas[0].fallbacks, std::numeric_limits<uint64_t>::max());
}

struct Forgery {
  const char* what;
  void (*forge)(Ledger& ledger);
};

class ForgedLedger : public ::testing::TestWithParam<Forgery> {};

TEST_P(ForgedLedger, IsDataLoss) {
  Ledger ledger = GoodLedger();
  GetParam().forge(ledger);
  EXPECT_EQ(Validate(ledger).status().code(), StatusCode::kDataLoss) << GetParam().what;
}

constexpr uint64_t kHuge = ~uint64_t{0};

INSTANTIATE_TEST_SUITE_P(
    Fields, ForgedLedger,
    ::testing::Values(
        Forgery{"magic", [](Ledger& l) { l.magic[7] = 'X'; }},
        Forgery{"version", [](Ledger& l) { l.version = 2; }},
        Forgery{"bytes", [](Ledger& l) { l.bytes -= 8; }},
        Forgery{"self", [](Ledger& l) { l.self += 4096; }},
        Forgery{"state", [](Ledger& l) { l.state = static_cast<abi::ShimState>(4); }},
        Forgery{"uncovered", [](Ledger& l) { l.uncovered = static_cast<abi::Uncovered>(9); }},
        Forgery{"mode", [](Ledger& l) { l.mode = 3; }},
        Forgery{"arena_count", [](Ledger& l) { l.arena_count = abi::kMaxLedgerArenas + 1; }},
        Forgery{"arena_count huge", [](Ledger& l) { l.arena_count = ~0u; }},
        Forgery{"policy without NUL", [](Ledger& l) { memset(l.policy, 'a', sizeof(l.policy)); }},
        Forgery{"policy with escape", [](Ledger& l) { strcpy(l.policy, "a\x1b[2J"); }},
        Forgery{"policy not ASCII", [](Ledger& l) { strcpy(l.policy, "\xc3\xa4"); }},
        Forgery{"arena name", [](Ledger& l) { strcpy(l.arenas[0].name, "a\nb"); }},
        Forgery{"arena name without NUL",
                [](Ledger& l) { memset(l.arenas[0].name, 'a', sizeof(l.arenas[0].name)); }},
        Forgery{"fence wraps", [](Ledger& l) { l.fence_bytes = kHuge; }},
        Forgery{"arena below the fence", [](Ledger& l) { l.arenas[0].base = kFence - 1; }},
        Forgery{"arena above the fence", [](Ledger& l) { l.arenas[0].base = kFence + 17 * 4096; }},
        Forgery{"arena ends after the fence",
                [](Ledger& l) { l.arenas[0].capacity_bytes = 15 * 4096 + 1; }},
        Forgery{"arena wraps", [](Ledger& l) { l.arenas[0].capacity_bytes = kHuge; }},
        Forgery{"locked", [](Ledger& l) { l.arenas[0].locked_bytes = 8 * 4096 + 1; }},
        Forgery{"used", [](Ledger& l) { l.arenas[0].used_bytes = kHuge; }},
        Forgery{"peak", [](Ledger& l) { l.arenas[0].peak_used_bytes = 8 * 4096 + 1; }}));

TEST(ValidateLedger, RefusesEveryTruncation) {
  const Ledger ledger = GoodLedger();
  for (size_t bytes = 0; bytes < sizeof(ledger); ++bytes) {
    const std::string copy(reinterpret_cast<const char*>(&ledger), bytes);
    EXPECT_EQ(ValidateLedger(copy, kAddress).status().code(), StatusCode::kDataLoss) << bytes;
  }
}

TEST(ValidateLedger, SurvivesRandomDamage) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    Ledger ledger = GoodLedger();
    auto* const bytes = reinterpret_cast<unsigned char*>(&ledger);
    for (int i = 0; i < 4; ++i) bytes[random() % sizeof(ledger)] = static_cast<uint8_t>(random());
    const auto state = Validate(ledger);
    if (!state.ok()) continue;
    EXPECT_LE(state->arenas.size(), abi::kMaxLedgerArenas);
    for (const ShimArena& arena : state->arenas) {
      EXPECT_GE(arena.base, state->fence_base);
      EXPECT_LE(arena.base + arena.capacity_bytes, state->fence_base + state->fence_bytes);
    }
  }
}

// This process maps a file of the shim's name, private and writable, as the
// loader maps its data.
class ReadShimStateTest : public ::testing::Test {
 protected:
  static constexpr size_t kPages = 4;

  void SetUp() override {
    char name[] = "/tmp/shim_state_test.XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    fence_ = mmap(nullptr, 16 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(fence_, MAP_FAILED);
  }
  void TearDown() override {
    if (file_ != nullptr) munmap(file_, kPages * 4096);
    munmap(fence_, 16 * 4096);
    std::filesystem::remove_all(directory_);
  }
  void Map(const std::string& name, int flags = MAP_PRIVATE) {
    path_ = directory_ + "/" + name;
    const int fd = open(path_.c_str(), O_RDWR | O_CREAT, 0600);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(ftruncate(fd, kPages * 4096), 0);
    file_ = mmap(nullptr, kPages * 4096, PROT_READ | PROT_WRITE, flags, fd, 0);
    close(fd);
    ASSERT_NE(file_, MAP_FAILED);
  }
  char* Page(size_t index) { return static_cast<char*>(file_) + index * 4096; }
  Ledger LedgerAt(const char* where) const {
    return GoodLedger(reinterpret_cast<uint64_t>(where), reinterpret_cast<uint64_t>(fence_));
  }
  void Place(size_t page) {
    const Ledger ledger = LedgerAt(Page(page));
    memcpy(Page(page), &ledger, sizeof(ledger));
  }
  static absl::StatusOr<std::optional<ShimState>> Read() {
    const auto mappings = ReadMappingsWithoutFlags(getpid());
    return mappings.ok() ? ReadShimState(getpid(), *mappings) : mappings.status();
  }

  std::string directory_;
  std::string path_;
  void* file_ = nullptr;
  void* fence_ = nullptr;
};

TEST_F(ReadShimStateTest, NulloptWithoutTheShim) {
  const auto state = Read();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE(state->has_value());
}

TEST_F(ReadShimStateTest, FindsTheLedgerOnALaterPage) {
  Map("libpagewarden.so");
  Place(2);
  const auto state = Read();
  ASSERT_TRUE(state.ok()) << state.status();
  ASSERT_TRUE(state->has_value());
  EXPECT_EQ((*state)->policy, "nginx-tls-keys");
  EXPECT_EQ((*state)->fence_base, reinterpret_cast<uint64_t>(fence_));
}

TEST_F(ReadShimStateTest, FindsTheLedgerOfADeletedLibrary) {
  Map("libpagewarden.so");
  Place(0);
  ASSERT_EQ(unlink(path_.c_str()), 0);
  const auto state = Read();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(state->has_value());
}

TEST_F(ReadShimStateTest, IgnoresOtherNames) {
  Map("notlibpagewarden.so");
  Place(0);
  const auto state = Read();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE(state->has_value());
}

TEST_F(ReadShimStateTest, DoesNotTrustASharedMapping) {
  Map("libpagewarden.so", MAP_SHARED);
  Place(0);
  EXPECT_EQ(Read().status().code(), StatusCode::kDataLoss);
}

TEST_F(ReadShimStateTest, SkipsACopyThatIsNotAtItsAddress) {
  Map("libpagewarden.so");
  Place(3);
  Ledger copy = LedgerAt(Page(3));
  strcpy(copy.policy, "forged");
  memcpy(Page(1), &copy, sizeof(copy));
  const auto state = Read();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ((*state)->policy, "nginx-tls-keys");
}

TEST_F(ReadShimStateTest, SaysThatThereIsNoLedger) {
  Map("libpagewarden.so");
  EXPECT_EQ(Read().status().code(), StatusCode::kDataLoss);
}

TEST_F(ReadShimStateTest, RefusesAFenceThatIsNotMapped) {
  Map("libpagewarden.so");
  Place(0);
  ASSERT_EQ(munmap(static_cast<char*>(fence_) + 8 * 4096, 4096), 0);
  EXPECT_EQ(Read().status().code(), StatusCode::kDataLoss);
}

TEST_F(ReadShimStateTest, RefusesABrokenLedger) {
  Map("libpagewarden.so");
  Place(0);
  Page(0)[offsetof(Ledger, arena_count)] = 99;
  EXPECT_EQ(Read().status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace pagewarden
