// SPDX-License-Identifier: Apache-2.0
#include "agent/shim/shim_state.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <string>
#include <utility>

#include "agent/shim/ledger_validation.h"
#include "tests/unit/fake_shim.h"

namespace pagewarden {
namespace {

using abi::Ledger;
using absl::StatusCode;
using ::testing::ElementsAre;

constexpr uint64_t kHuge = ~uint64_t{0};

template <typename T>
absl::string_view Bytes(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

absl::StatusOr<ShimState> Validate(const Ledger& ledger, const Tables& tables = GoodTables(),
                                   uint64_t address = kAddress) {
  auto header = ValidateLedger(Bytes(ledger), address);
  if (!header.ok()) return header.status();
  const absl::Status status =
      AddTags(Bytes(tables.tags), Bytes(tables.books), header->tables, header->state);
  if (!status.ok()) return status;
  return std::move(header->state);
}

TEST(ValidateLedger, ReadsEveryField) {
  const auto state = Validate(GoodLedger());
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->policy, "nginx-tls-keys");
  EXPECT_EQ(state->mode, "Enforce");
  EXPECT_TRUE(state->active);
  EXPECT_EQ(state->uncovered, "");
  EXPECT_EQ(state->fence_base, kFence);
  EXPECT_EQ(state->fence_bytes, kFenceBytes);
  EXPECT_EQ(state->relocks, 6u);
  EXPECT_EQ(state->lock_errors, 7u);
  EXPECT_EQ(state->lock_errno, ENOMEM);
  EXPECT_EQ(state->namespaces, 8u);
  EXPECT_EQ(state->reentered_frees, 9u);
  EXPECT_EQ(state->functions_in_executable, 10u);
  EXPECT_EQ(state->files_missed, 11u);
  EXPECT_EQ(state->generation, 12u);
  EXPECT_EQ(state->rules_waiting, 13u);
  EXPECT_FALSE(state->follows_no_more);
  EXPECT_THAT(state->violations, ElementsAre(0, 1, 0));
  ASSERT_EQ(state->arenas.size(), 1u);
  const ShimArena& arena = state->arenas[0];
  EXPECT_EQ(arena.name, "default");
  EXPECT_EQ(arena.base, kFence + kArenaOffset);
  EXPECT_EQ(arena.capacity_bytes, 8u * 4096);
  EXPECT_EQ(arena.locked_bytes, 8u * 4096);
  EXPECT_EQ(arena.page_bytes, 4096u);
  EXPECT_EQ(arena.peak_page_bytes, 8192u);
  EXPECT_EQ(arena.growths, 2u);
  EXPECT_EQ(arena.backing, abi::ArenaBacking::kLockedAnonymous);
}

TEST(ValidateLedger, SumsTheBooksOfAllThreads) {
  const auto state = Validate(GoodLedger());
  ASSERT_TRUE(state.ok()) << state.status();
  ASSERT_EQ(state->tags.size(), kTags);
  const ShimTag& keys = state->tags[0];
  EXPECT_EQ(keys.name, "private-keys");
  EXPECT_EQ(keys.arena, "default");
  EXPECT_TRUE(keys.is_rule);
  EXPECT_EQ(keys.live_allocations, 6u);
  EXPECT_EQ(keys.live_bytes, 480u);
  EXPECT_EQ(keys.peak_bytes, 640u);
  EXPECT_EQ(keys.total_allocations, 12u);
  EXPECT_THAT(keys.fallbacks, ElementsAre(1, 0, 0, 0, 2, 0));
  EXPECT_TRUE(state->tags[1].is_rule);
  EXPECT_EQ(state->tags[1].audited, 5u);
  EXPECT_EQ(state->tags[1].peak_bytes, 4096u);  // not less than what is live
  EXPECT_FALSE(state->tags[2].is_rule);
  const ShimArena& arena = state->arenas[0];
  EXPECT_EQ(arena.used_bytes, 480u + 4096);
  EXPECT_EQ(arena.live_allocations, 7u);
  EXPECT_EQ(arena.total_allocations, 13u);
  EXPECT_EQ(arena.fallbacks, 7u);
  EXPECT_THAT(arena.fallbacks_by_reason, ElementsAre(5, 0, 0, 0, 2, 0));
}

TEST(ValidateLedger, NothingIsLiveThatWasFreedMoreOften) {
  Tables tables = GoodTables();
  tables.books[2][0] = {0, 100, 0, kHuge};
  const auto state = Validate(GoodLedger(), tables);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->tags[0].live_allocations, 0u);
  EXPECT_EQ(state->tags[0].live_bytes, 0u);
}

TEST(ValidateLedger, CapsForgedCounts) {
  Tables tables = GoodTables();
  for (uint64_t& count : tables.tags[0].fallbacks) count = kHuge;
  for (auto& row : tables.books) row[0] = {kHuge, 0, kHuge, 0};
  tables.tags[0].peak_bytes = kHuge;
  const auto state = Validate(GoodLedger(), tables);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->tags[0].total_allocations, kHuge);
  EXPECT_EQ(state->tags[0].live_bytes, 8u * 4096);
  EXPECT_EQ(state->tags[0].peak_bytes, 8u * 4096);
  EXPECT_EQ(state->arenas[0].fallbacks, kHuge);
  EXPECT_EQ(state->arenas[0].live_allocations, kHuge);
  EXPECT_EQ(state->arenas[0].used_bytes, 8u * 4096);
}

TEST(ValidateLedger, NamesEveryReason) {
  for (uint32_t reason = 1; reason <= static_cast<uint32_t>(abi::Uncovered::kSanitizer); ++reason) {
    Ledger ledger = GoodLedger();
    ledger.state = abi::ShimState::kUncovered;
    ledger.uncovered = static_cast<abi::Uncovered>(reason);
    const auto state = Validate(ledger);
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_FALSE(state->active);
    EXPECT_NE(state->uncovered, "");
  }
  const auto name_of = [](abi::Uncovered reason) {
    Ledger ledger = GoodLedger();
    ledger.uncovered = reason;
    return Validate(ledger)->uncovered;
  };
  EXPECT_EQ(name_of(abi::Uncovered::kLockFailed), "lock_failed");
  EXPECT_EQ(name_of(abi::Uncovered::kNoForkHandler), "no_fork_handler");
  EXPECT_EQ(name_of(abi::Uncovered::kSanitizer), "sanitizer");
}

TEST(ValidateLedger, AcceptsAShimWithoutArenas) {
  Ledger ledger = {};
  memcpy(ledger.magic, abi::kLedgerMagic, sizeof(ledger.magic));
  ledger.version = abi::kLedgerVersion;
  ledger.bytes = sizeof(Ledger);
  ledger.self = kAddress;
  ledger.state = abi::ShimState::kInactive;
  auto header = ValidateLedger(Bytes(ledger), kAddress);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(AddTags("", "", header->tables, header->state), absl::OkStatus());
  EXPECT_TRUE(header->state.tags.empty());
}

TEST(AddTags, RefusesTablesOfAnotherSize) {
  const Tables tables = GoodTables();
  const auto add = [&](absl::string_view tags, absl::string_view books) {
    auto header = ValidateLedger(Bytes(GoodLedger()), kAddress);
    return AddTags(tags, books, header->tables, header->state).code();
  };
  const absl::string_view tags = Bytes(tables.tags);
  const absl::string_view books = Bytes(tables.books);
  EXPECT_EQ(add(tags, books), StatusCode::kOk);
  EXPECT_EQ(add("", books), StatusCode::kDataLoss);
  EXPECT_EQ(add(tags.substr(1), books), StatusCode::kDataLoss);
  EXPECT_EQ(add(tags, ""), StatusCode::kDataLoss);
  EXPECT_EQ(add(tags, books.substr(1)), StatusCode::kDataLoss);
}

class ForgedTag : public ::testing::TestWithParam<void (*)(abi::LedgerTag&)> {};

TEST_P(ForgedTag, IsDataLoss) {
  Tables tables = GoodTables();
  GetParam()(tables.tags[kTags - 1]);
  EXPECT_EQ(Validate(GoodLedger(), tables).status().code(), StatusCode::kDataLoss);
}

INSTANTIATE_TEST_SUITE_P(
    Fields, ForgedTag,
    ::testing::Values([](abi::LedgerTag& tag) { tag.arena = 1; },
                      [](abi::LedgerTag& tag) { tag.arena = ~0u; },
                      [](abi::LedgerTag& tag) { memset(tag.name, 'a', sizeof(tag.name)); },
                      [](abi::LedgerTag& tag) { strcpy(tag.name, "a\x1b[2J"); }));

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

INSTANTIATE_TEST_SUITE_P(
    Fields, ForgedLedger,
    ::testing::Values(
        Forgery{"magic", [](Ledger& l) { l.magic[7] = 'X'; }},
        Forgery{"version", [](Ledger& l) { l.version = 1; }},
        Forgery{"bytes", [](Ledger& l) { l.bytes -= 8; }},
        Forgery{"self", [](Ledger& l) { l.self += 4096; }},
        Forgery{"state", [](Ledger& l) { l.state = static_cast<abi::ShimState>(4); }},
        Forgery{"uncovered", [](Ledger& l) { l.uncovered = static_cast<abi::Uncovered>(11); }},
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
        Forgery{"pages", [](Ledger& l) { l.arenas[0].page_bytes = kHuge; }},
        Forgery{"peak", [](Ledger& l) { l.arenas[0].peak_page_bytes = 8 * 4096 + 1; }},
        Forgery{"backing",
                [](Ledger& l) { l.arenas[0].backing = static_cast<abi::ArenaBacking>(4); }},
        Forgery{"lock_errno", [](Ledger& l) { l.lock_errno = 4096; }},
        Forgery{"tag_count", [](Ledger& l) { l.tag_count = abi::kMaxLedgerTags + 1; }},
        Forgery{"tag_count huge", [](Ledger& l) { l.tag_count = ~0u; }},
        Forgery{"rule_count", [](Ledger& l) { l.rule_count = kTags + 1; }},
        Forgery{"follows", [](Ledger& l) { l.follows = static_cast<abi::Follows>(3); }},
        Forgery{"book_rows", [](Ledger& l) { l.book_rows = abi::kMaxBookRows + 1; }},
        Forgery{"book_rows huge", [](Ledger& l) { l.book_rows = ~0u; }},
        Forgery{"tags below the fence", [](Ledger& l) { l.tags_base = kFence - 1; }},
        Forgery{"tags end after the fence",
                [](Ledger& l) { l.tags_base = kFence + kFenceBytes - kTags * 96 + 1; }},
        Forgery{"tags wrap", [](Ledger& l) { l.tags_base = kHuge; }},
        Forgery{"books below the fence", [](Ledger& l) { l.books_base = 0; }},
        Forgery{"books end after the fence",
                [](Ledger& l) { l.books_base = kFence + kFenceBytes - kRows * kTags * 32 + 1; }},
        Forgery{"books do not fit", [](Ledger& l) { l.book_rows = 64, l.tag_count = 1024; }}));

TEST(ValidateLedger, RefusesEveryTruncation) {
  const Ledger ledger = GoodLedger();
  for (size_t bytes = 0; bytes < sizeof(ledger); ++bytes) {
    const std::string copy(reinterpret_cast<const char*>(&ledger), bytes);
    EXPECT_EQ(ValidateLedger(copy, kAddress).status().code(), StatusCode::kDataLoss) << bytes;
  }
}

template <typename T>
void Damage(T& value, std::mt19937& random) {
  auto* const bytes = reinterpret_cast<unsigned char*>(&value);
  for (int i = 0; i < 4; ++i) bytes[random() % sizeof(value)] = static_cast<uint8_t>(random());
}

TEST(ValidateLedger, SurvivesRandomDamage) {
  std::mt19937 random(1);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    Ledger ledger = GoodLedger();
    Tables tables = GoodTables();
    Damage(ledger, random);
    Damage(tables, random);
    const auto state = Validate(ledger, tables);
    if (!state.ok()) continue;
    ++accepted;
    EXPECT_LE(state->arenas.size(), abi::kMaxLedgerArenas);
    for (const ShimArena& arena : state->arenas) {
      EXPECT_GE(arena.base, state->fence_base);
      EXPECT_LE(arena.base + arena.capacity_bytes, state->fence_base + state->fence_bytes);
      EXPECT_LE(arena.used_bytes, arena.capacity_bytes);
    }
  }
  EXPECT_GT(accepted, 1000);  // the tables were reached
}

void Fill(void* bytes, size_t count, std::mt19937& random) {
  for (size_t i = 0; i < count; ++i)
    static_cast<uint8_t*>(bytes)[i] = static_cast<uint8_t>(random());
}

TEST(ValidateLedger, SurvivesRandomBytes) {
  std::mt19937 random(2);
  for (int round = 0; round < 2000; ++round) {
    Ledger ledger = GoodLedger();
    constexpr size_t kFirst = offsetof(Ledger, relocks);  // the counts and addresses
    Fill(reinterpret_cast<char*>(&ledger) + kFirst, sizeof(ledger) - kFirst, random);
    EXPECT_EQ(Validate(ledger).status().code(), StatusCode::kDataLoss);

    Tables tables = GoodTables();
    Fill(tables.tags, sizeof(tables.tags), random);
    EXPECT_EQ(Validate(GoodLedger(), tables).status().code(), StatusCode::kDataLoss);

    tables = GoodTables();
    Fill(tables.books, sizeof(tables.books), random);
    const auto state = Validate(GoodLedger(), tables);
    ASSERT_TRUE(state.ok()) << state.status();  // any count is possible
    EXPECT_LE(state->arenas[0].used_bytes, state->arenas[0].capacity_bytes);
  }
}

}  // namespace
}  // namespace pagewarden
