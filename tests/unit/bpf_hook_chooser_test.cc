// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/base/unique_fd.h"
#include "agent/bpf/hook_chooser.h"
#include "agent/bpf/run_statistics.h"
#include "task_snapshot.skel.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const HookCandidate kMissing = {"tp_btf/missing", {"no_such_program"}};
const HookCandidate kIterator = {"iter/task", {"snapshot"}};

void ConfigureNothing(task_snapshot_bpf&) {}

// Reads all of the iterator, which runs its program once a task.
void RunIterator(const HookLinks& links) {
  const UniqueFd iterator(bpf_iter_create(bpf_link__fd(links.first())));
  ASSERT_TRUE(iterator.ok());
  char buffer[4096];
  while (read(iterator.get(), buffer, sizeof(buffer)) > 0) continue;
}

TEST(HookChooser, TakesTheFirstThatWorks) {
  const auto choice =
      ChooseHook<task_snapshot_bpf>("snapshot", {kMissing, kIterator, kMissing}, ConfigureNothing);
  if (absl::IsPermissionDenied(choice.status)) GTEST_SKIP() << choice.status;
  ASSERT_NE(choice.hook, nullptr) << choice.status;
  EXPECT_EQ(choice.report.question, "snapshot");
  EXPECT_EQ(choice.report.hook, "iter/task");
  EXPECT_THAT(choice.report.refused, ElementsAre("tp_btf/missing: this kernel has no such hook"));
  RunIterator(choice.links);
}

TEST(HookChooser, NoneWorks) {
  const auto choice = ChooseHook<task_snapshot_bpf>("snapshot", {kMissing}, ConfigureNothing);
  EXPECT_EQ(choice.hook, nullptr);
  EXPECT_FALSE(choice.status.ok());
  EXPECT_THAT(choice.status.message(), HasSubstr("tp_btf/missing"));
  EXPECT_THAT(choice.report.hook, IsEmpty());
  EXPECT_EQ(choice.Report().runs, 0u);
}

// The second choice repeats what the first was told, and does not try again.
TEST(HookChooser, RemembersRefusals) {
  int configured = 0;
  const auto count = [&configured](task_snapshot_bpf&) { ++configured; };
  const HookCandidate once = {"tp_btf/once", {"not_there_either"}};
  const auto first = ChooseHook<task_snapshot_bpf>("snapshot", {once}, count);
  const auto second = ChooseHook<task_snapshot_bpf>("snapshot", {once}, count);
  if (absl::IsPermissionDenied(first.status)) GTEST_SKIP() << first.status;
  EXPECT_EQ(configured, 1);
  EXPECT_EQ(second.report.refused, first.report.refused);
  EXPECT_EQ(second.status, first.status);
}

TEST(HookChooser, CountsRunsOnlyWhileAsked) {
  const auto choice = ChooseHook<task_snapshot_bpf>("snapshot", {kIterator}, ConfigureNothing);
  if (absl::IsPermissionDenied(choice.status)) GTEST_SKIP() << choice.status;
  ASSERT_NE(choice.hook, nullptr) << choice.status;
  {
    const auto statistics = RunStatistics::Enable();
    ASSERT_TRUE(statistics.ok()) << statistics.status();
    RunIterator(choice.links);
  }
  const HookReport counted = choice.Report();
  EXPECT_GT(counted.runs, 1u);
  EXPECT_GT(counted.run_time_ns, counted.runs);  // more than a nanosecond each
  EXPECT_EQ(counted.lost, 0u);
}

}  // namespace
}  // namespace pagewarden
