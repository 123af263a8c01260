// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <random>

#include "absl/strings/str_cat.h"
#include "agent/events/event_json.h"
#include "agent/events/event_log.h"
#include "tests/unit/child.h"
#include "tests/unit/events_samples.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

EventLog Opened(const std::string& directory, EventLogOptions options = {}) {
  auto log = EventLog::Open(directory, options);
  if (!log.ok()) abort();
  return *std::move(log);
}

// Appends one event and returns its number.
uint64_t Put(EventLog& log, Event event) {
  std::vector<Event> events = {std::move(event)};
  EXPECT_TRUE(log.Append(events).ok());
  return events.front().sequence;
}

std::vector<Event> All(const EventLog& log) { return log.Since(absl::InfinitePast()); }

// Numbers from the first one on, each one higher.
void ExpectNoGap(const std::vector<Event>& events) {
  for (size_t i = 1; i < events.size(); ++i) {
    ASSERT_EQ(events[i].sequence, events[i - 1].sequence + 1);
  }
}

TEST(EventLogTest, NumbersAndTellsAgain) {
  const TempDirectory directory;
  EventLog log = Opened(directory.path());
  EXPECT_EQ(log.last_sequence(), 0u);
  std::vector<Event> events = {SampleEvent("a"), SampleEvent("b")};
  ASSERT_TRUE(log.Append(events).ok());
  EXPECT_EQ(events[1].sequence, 2u);
  EXPECT_EQ(log.durable_sequence(), 2u);
  ASSERT_THAT(All(log), SizeIs(2));
  EXPECT_EQ(All(log)[1].text, "b");
  EXPECT_THAT(log.Since(absl::InfinitePast(), 1), SizeIs(1));
  EXPECT_THAT(log.Since(absl::InfinitePast(), 0, 1), SizeIs(1));
  EXPECT_THAT(log.Since(SampleTime() + absl::Nanoseconds(1)), IsEmpty());
  EXPECT_THAT(log.LinesSince(absl::InfinitePast(), 0, 10, {"budget"}), IsEmpty());
  EXPECT_THAT(log.LinesSince(absl::InfinitePast(), 0, 10, {"budget", "denial"}), SizeIs(2));
}

TEST(EventLogTest, GoesOnAfterARestart) {
  const TempDirectory directory;
  for (uint64_t round = 1; round <= 5; ++round) {
    EventLog log = Opened(directory.path());
    EXPECT_EQ(Put(log, SampleEvent(absl::StrCat("round ", round))), round);
    EXPECT_THAT(All(log), SizeIs(round));
    EXPECT_THAT(log.notes(), IsEmpty());
  }
}

TEST(EventLogTest, FilesAreBoundedAndMemoryToo) {
  const TempDirectory directory;
  EventLogOptions options;
  options.file_bytes = 8 << 10;
  options.ring_events = 20;
  EventLog log = Opened(directory.path(), options);
  for (int i = 0; i < 300; ++i) Put(log, SampleEvent());
  EXPECT_THAT(All(log), SizeIs(20));
  EXPECT_EQ(log.first_sequence(), 281u);
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    bytes += entry.file_size();
  }
  EXPECT_LE(bytes, 2 * options.file_bytes + 1024);
  log = EventLog(Opened(TempDirectory().path()));  // lets go of the lock
  EventLog again = Opened(directory.path(), options);
  EXPECT_EQ(again.last_sequence(), 300u);
  ExpectNoGap(All(again));
}

TEST(EventLogTest, WhatStandsOutlivesTheFilesThatSayIt) {
  const TempDirectory directory;
  EventLogOptions options;
  options.file_bytes = 4 << 10;
  {
    EventLog log = Opened(directory.path(), options);
    Put(log, SampleCondition("a", true));
    Put(log, SampleCondition("b", true));
    for (int i = 0; i < 100; ++i) Put(log, SampleEvent());
    Put(log, SampleCondition("a", false));
    EXPECT_THAT(log.Standing(), SizeIs(1));
  }
  EventLog log = Opened(directory.path(), options);
  ASSERT_THAT(log.Standing(), SizeIs(1));
  EXPECT_EQ(log.Standing().front().details["key"], "b");
  EXPECT_EQ(log.Standing().front().sequence, 2u);
}

TEST(EventLogTest, ATornLastLineIsCutOff) {
  const TempDirectory directory;
  {
    EventLog log = Opened(directory.path());
    Put(log, SampleEvent());
    Put(log, SampleEvent());
  }
  const std::string path = directory.path() + "/events.jsonl";
  const std::string whole = ReadFile(path);
  const size_t first = whole.find('\n') + 1;
  for (size_t cut = first; cut < whole.size(); cut += 7) {
    directory.Write("events.jsonl", whole.substr(0, cut));
    EventLog log = Opened(directory.path());
    EXPECT_EQ(log.last_sequence(), 1u) << cut;
    EXPECT_EQ(Put(log, SampleEvent("after")), 2u);
    EXPECT_EQ(log.notes().size(), cut == first ? 0u : 1u);
  }
  // What a file system may show after a crash of the machine.
  directory.Write("events.jsonl", whole + std::string(5000, '\0'));
  EventLog log = Opened(directory.path());
  EXPECT_EQ(Put(log, SampleEvent()), 3u);
  ASSERT_THAT(log.notes(), SizeIs(1));
  EXPECT_THAT(log.notes().front(), HasSubstr("cut off 5000 bytes"));
}

TEST(EventLogTest, ADamagedLineInTheMiddleCostsOnlyItself) {
  const TempDirectory directory;
  {
    EventLog log = Opened(directory.path());
    for (int i = 0; i < 3; ++i) Put(log, SampleEvent());
  }
  const std::string path = directory.path() + "/events.jsonl";
  std::string text = ReadFile(path);
  text[text.find('\n') + 3] = '\x01';
  directory.Write("events.jsonl", text);
  EventLog log = Opened(directory.path());
  EXPECT_THAT(All(log), SizeIs(2));
  EXPECT_EQ(log.last_sequence(), 3u);
  ASSERT_THAT(log.notes(), SizeIs(1));
  EXPECT_THAT(log.notes().front(), HasSubstr("1 damaged line left out"));
}

TEST(EventLogTest, OneAgentADirectory) {
  const TempDirectory directory;
  const EventLog log = Opened(directory.path());
  EXPECT_THAT(std::string(EventLog::Open(directory.path(), {}).status().message()),
              HasSubstr("another agent"));
}

TEST(EventLogTest, ADirectoryThatOthersCanWriteToIsRefused) {
  const TempDirectory directory;
  chmod(directory.path().c_str(), 0777);
  EXPECT_TRUE(absl::IsFailedPrecondition(EventLog::Open(directory.path(), {}).status()));
}

// A file system that is full: RLIMIT_FSIZE fails writes likewise, at any byte.
TEST(EventLogTest, AFullDiskLosesNothingThatMemoryHolds) {
  const TempDirectory directory;
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  EventLog log = Opened(directory.path());
  Put(log, SampleEvent("before"));
  const rlimit full = {std::filesystem::file_size(directory.path() + "/events.jsonl") + 100,
                       before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  std::vector<Event> events = {SampleEvent("x"), SampleEvent("y")};
  const absl::Status status = log.Append(events);
  std::vector<Event> more = {SampleEvent("z")};
  const absl::Status again = log.Append(more);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(again.ok());
  EXPECT_EQ(log.lost(), 3u);
  EXPECT_EQ(log.durable_sequence(), 1u);
  EXPECT_THAT(log.problem(), HasSubstr("File too large"));
  EXPECT_THAT(All(log), SizeIs(4));
  EXPECT_EQ(Put(log, SampleEvent("room again")), 5u);
  EXPECT_EQ(log.durable_sequence(), 5u);
  EXPECT_EQ(log.problem(), "");
  log = Opened(TempDirectory().path());
  EventLog reopened = Opened(directory.path());
  ASSERT_THAT(All(reopened), SizeIs(5));
  ExpectNoGap(All(reopened));
  EXPECT_THAT(reopened.notes(), IsEmpty());
}

TEST(EventLogTest, WithoutADirectoryThereIsMemory) {
  EventLog log = Opened("/proc/no/such/directory");
  EXPECT_NE(log.problem(), "");
  std::vector<Event> events = {SampleEvent()};
  EXPECT_FALSE(log.Append(events).ok());
  EXPECT_THAT(All(log), SizeIs(1));
  EXPECT_EQ(log.lost(), 1u);
}

// A writer that says on a pipe which number is acknowledged, until it is killed.
[[noreturn]] void WriteUntilKilled(const std::string& directory, int acknowledged) {
  EventLogOptions options;
  options.file_bytes = 16 << 10;  // so that it turns over all the time
  auto log = EventLog::Open(directory, options);
  if (!log.ok()) _exit(1);
  for (uint64_t i = log->last_sequence();;) {
    std::vector<Event> events;
    for (uint64_t n = i % 5 + 1; n > 0; --n) {
      events.push_back(SampleCondition(absl::StrCat((i + n) % 7), (i + n) % 3 != 0));
    }
    if (!log->Append(events).ok()) _exit(1);
    i = events.back().sequence;
    if (write(acknowledged, &i, sizeof(i)) != sizeof(i)) _exit(1);
  }
}

// The last number that a writer acknowledged before it was killed.
// `from_first`: the time begins with its first answer, and not with its start.
uint64_t RunAndKill(const std::string& directory, bool from_first, useconds_t after) {
  int pipes[2];
  if (pipe(pipes) != 0) abort();
  const pid_t pid = fork();
  if (pid == 0) {
    close(pipes[0]);
    WriteUntilKilled(directory, pipes[1]);
  }
  close(pipes[1]);
  pollfd answer = {pipes[0], POLLIN, 0};
  if (from_first) poll(&answer, 1, 10000);
  usleep(after);
  kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer failed";
  uint64_t last = 0;
  while (read(pipes[0], &last, sizeof(last)) == sizeof(last)) {
  }
  close(pipes[0]);
  return last;
}

TEST(EventLogTest, KilledTwoHundredTimes) {
  const TempDirectory directory;
  std::mt19937 random(4711);
  uint64_t acknowledged = 0;
  size_t moved = 0;
  for (int round = 0; round < 200; ++round) {
    const uint64_t last = RunAndKill(directory.path(), round % 4 != 0, random() % 10000);
    moved += last > acknowledged;
    acknowledged = std::max(acknowledged, last);
    EventLogOptions options;
    options.file_bytes = 16 << 10;
    EventLog log = Opened(directory.path(), options);
    ASSERT_GE(log.last_sequence(), acknowledged);
    ASSERT_LE(log.last_sequence(), acknowledged + 5);  // one write more, at most
    const std::vector<Event> events = All(log);
    ExpectNoGap(events);
    if (!events.empty()) {
      ASSERT_EQ(events.back().sequence, log.last_sequence());
    }
    acknowledged = log.last_sequence();  // of what can be asked for now
  }
  EXPECT_GT(moved, 100u);
}

}  // namespace
}  // namespace pagewarden
