// SPDX-License-Identifier: Apache-2.0
// Books of a keeper that is killed again and again.
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "tests/unit/books_samples.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::IsEmpty;

struct Shown {
  uint64_t denials;
  uint64_t peak;
  uint64_t allocations;
};

Shown ShownBy(const BookKeeper& keeper) {
  const auto book = keeper.books().cgroups.find("/a");
  return {DenialsOf(keeper, "/a"),
          book == keeper.books().cgroups.end() ? 0 : book->second.peak_locked_bytes,
          Keys(keeper).allocations};
}

// A process of the host that locks to new peaks, is refused, allocates, ends; `at` is its time.
void TickOfHost(BookKeeper& keeper, uint64_t at) {
  if (at % 3 == 0) keeper.Add(SampleDenial("/a"));
  const uint64_t life = at / 50;
  Tick(keeper, {FencedRow(7, life + 1, at % 50 * 10)}, at % 50 < 25 ? at * 4096 : 0,
       SampleTime() + absl::Seconds(static_cast<int64_t>(at)));
}

[[noreturn]] void KeepUntilKilled(const std::string& directory, uint64_t at, int shown) {
  auto keeper = BookKeeper::Open(directory);
  if (!keeper.ok()) _exit(1);
  for (;; ++at) {
    TickOfHost(*keeper, at);
    const absl::Status status = at % 20 == 0 ? keeper->Save() : keeper->Journal();
    const Shown values = ShownBy(*keeper);
    if (!status.ok() || write(shown, &values, sizeof(values)) != sizeof(values)) _exit(1);
  }
}

TEST(BookKeeperTest, KilledTwoHundredTimes) {
  const TempDirectory directory;
  std::mt19937 random(4712);
  Shown last = {};
  uint64_t at = 0;
  for (int round = 0; round < 200; ++round) {
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      close(pipes[0]);
      KeepUntilKilled(directory.path(), at, pipes[1]);
    }
    close(pipes[1]);
    pollfd answer = {pipes[0], POLLIN, 0};
    if (round % 4 != 0) poll(&answer, 1, 10000);
    usleep(random() % 5000);
    kill(pid, SIGKILL);
    int status = 0;
    waitpid(pid, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the keeper failed";
    for (Shown shown; read(pipes[0], &shown, sizeof(shown)) == sizeof(shown); ++at) {
      ASSERT_GE(shown.denials, last.denials);
      ASSERT_GE(shown.peak, last.peak);
      ASSERT_GE(shown.allocations, last.allocations);
      last = shown;
    }
    close(pipes[0]);
    const BookKeeper keeper = Kept(directory.path());
    ASSERT_THAT(keeper.notes(), IsEmpty());
    ASSERT_GE(ShownBy(keeper).denials, last.denials);
    ASSERT_LE(ShownBy(keeper).denials, last.denials + 1);  // of a tick that was not shown
    ASSERT_GE(ShownBy(keeper).peak, last.peak);
    last.denials = ShownBy(keeper).denials;
  }
  EXPECT_GT(at, 500u);
}

}  // namespace
}  // namespace pagewarden
