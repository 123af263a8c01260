// SPDX-License-Identifier: Apache-2.0
// The files of the state directory, damaged.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/events/event_json.h"
#include "agent/events/standing.h"
#include "agent/state/book_files.h"
#include "agent/state/book_json.h"
#include "tests/fuzz/mutate.h"

namespace pagewarden {
namespace {

constexpr int kRounds = 20000;

Event Sample() {
  Event event;
  event.sequence = 7;
  event.time = absl::FromUnixSeconds(1764187200);
  event.type = "budget";
  event.severity = Severity::kError;
  event.cgroup = "/system.slice/nginx.service";
  event.pid = 4711;
  event.comm = "nginx";
  event.policy = "web";
  event.text = "locks too much";
  event.details = {{"key", "budget web"}, {"level", "over"}, {"pids", {1, 2, 3}}};
  return event;
}

StoredBooks SampleBooks() {
  StoredBooks stored;
  CgroupBook& cgroup = stored.books.cgroups["/a"];
  cgroup.cgroup_id = 42;
  cgroup.peak_locked_bytes = 4096;
  cgroup.denials["OVER_LIMIT.HARD"] = 3;
  cgroup.last_seen = absl::FromUnixSeconds(1764187200);
  stored.oom_seen["/a"] = 1;
  stored.books.policies["tls"].rules["keys"] = {10, 5};
  stored.processes[7] = {1, 2, 0x7f0000000000, "tls", stored.books.policies["tls"], 0};
  stored.books.shims_skipped["static"] = 1;
  stored.skipped[9] = {"/bin/x", "tls", "static"};
  return stored;
}

// What is taken can be written, and read again as the same.
TEST(StateFilesFuzzTest, EventLines) {
  const std::string line = EventLine(Sample());
  ASSERT_TRUE(ParseEventLine(line).ok());
  Mutator mutate;
  int refused = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto event = ParseEventLine(mutate(line));
    refused += !event.ok();
    if (!event.ok()) continue;
    const std::string again = EventLine(*event);
    ASSERT_LT(again.size(), kMaxEventLineBytes);
    const auto same = ParseEventLine(again);
    ASSERT_TRUE(same.ok()) << again;
    ASSERT_EQ(EventLine(*same), again);
  }
  EXPECT_GT(refused, kRounds / 4);
  EXPECT_LT(refused, kRounds);
}

TEST(StateFilesFuzzTest, StandingEvents) {
  StandingEvents standing;
  standing.Add(Sample());
  const std::string text = standing.Format();
  ASSERT_TRUE(StandingEvents().Parse(text));
  Mutator mutate;
  int refused = 0;
  for (int round = 0; round < kRounds; ++round) {
    StandingEvents damaged;
    refused += !damaged.Parse(mutate(text));
    EXPECT_LE(damaged.All().size(), 1u);
  }
  EXPECT_GT(refused, kRounds / 4);
}

// Nothing damaged passes the checksum.
TEST(StateFilesFuzzTest, BookFiles) {
  const std::string text = FormatBookFile(3, FormatBooks(SampleBooks()));
  Mutator mutate;
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string damaged = mutate(text);
    uint64_t generation = 0;
    StoredBooks stored;
    if (!ParseBookFile(damaged, generation, stored)) continue;
    ++accepted;
    // The number of the generation is not summed.
    EXPECT_EQ(damaged.substr(damaged.find('\n')), text.substr(text.find('\n')));
  }
  EXPECT_LT(accepted, kRounds / 10);
}

// Behind the checksum the contents are checked all the same.
TEST(StateFilesFuzzTest, BooksThemselves) {
  const std::string text = FormatBooks(SampleBooks());
  StoredBooks whole;
  ASSERT_TRUE(ApplyBooks(text, whole));
  ASSERT_EQ(FormatBooks(whole), text);
  Mutator mutate;
  int refused = 0;
  for (int round = 0; round < kRounds; ++round) {
    StoredBooks stored;
    if (!ApplyBooks(mutate(text), stored)) {
      ++refused;
      continue;
    }
    StoredBooks again;
    ASSERT_TRUE(ApplyBooks(FormatBooks(stored), again));
    for (const auto& [name, policy] : stored.books.policies) {
      for (const auto& [rule, book] : policy.rules) EXPECT_LE(book.allocations, kMaxCount);
    }
  }
  EXPECT_GT(refused, kRounds / 4);
}

TEST(StateFilesFuzzTest, Journals) {
  const std::string books = FormatBooks(SampleBooks());
  std::string text = "pagewarden journal 1 3\n";
  for (int i = 0; i < 3; ++i) text += ChecksumOf(books) + " " + books + "\n";
  uint64_t generation = 0;
  std::vector<absl::string_view> lines;
  ASSERT_EQ(ParseBookJournal(text, generation, lines), text.size());
  ASSERT_EQ(lines.size(), 3u);
  Mutator mutate;
  for (int round = 0; round < kRounds; ++round) {
    const std::string damaged = mutate(text);
    lines.clear();
    EXPECT_LE(ParseBookJournal(damaged, generation, lines), damaged.size());
    for (const absl::string_view line : lines) EXPECT_EQ(line, books);
  }
}

}  // namespace
}  // namespace pagewarden
