// SPDX-License-Identifier: Apache-2.0
// Real processes under the shim that touch one address, in a guard or elsewhere.
#include "agent/watch/guard_hits.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/proc/mappings.h"
#include "agent/shim/shim_state.h"
#include "agent/watch/watch.h"
#include "tests/unit/scratch_cgroup.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kTouch[] =
    "import ctypes, sys\n"
    "print(flush=True)\n"
    "ctypes.string_at(int(sys.stdin.readline()), 1)\n";

// A python3 under the shim that reads a byte at the address that it is told.
class Toucher {
 public:
  Toucher() {
    signal(SIGPIPE, SIG_IGN);  // of one that did not start
    int orders[2];
    int answers[2];
    if (pipe2(orders, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      dup2(orders[0], 0);
      dup2(answers[1], 1);
      const char* pagewarden = getenv("PAGEWARDEN");
      execl(pagewarden, pagewarden, "run", "--policy", getenv("TOUCH_POLICY"), "--", "python3",
            "-c", kTouch, nullptr);
      _exit(127);
    }
    close(orders[0]);
    close(answers[1]);
    orders_ = orders[1];
    char byte = 0;
    started_ = read(answers[0], &byte, 1) == 1;
    close(answers[0]);
  }
  Toucher(const Toucher&) = delete;
  Toucher& operator=(const Toucher&) = delete;
  ~Toucher() { Touch(0); }

  pid_t pid() const { return pid_; }

  std::optional<ShimState> Shim() const {
    const auto mappings = ReadMappingsWithoutFlags(pid_);
    if (!started_ || !mappings.ok()) return std::nullopt;
    auto shim = ReadShimState(pid_, *mappings);
    return shim.ok() ? *std::move(shim) : std::nullopt;
  }

  // The signal that ended the process.
  int Touch(uint64_t address) {
    if (orders_ < 0) return 0;
    const std::string line = absl::StrCat(address, "\n");
    const bool told = write(orders_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    close(std::exchange(orders_, -1));
    int status = 0;
    waitpid(pid_, &status, 0);
    return told && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

 private:
  pid_t pid_ = -1;
  int orders_ = -1;
  bool started_ = false;
};

class GuardHitsTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    auto hierarchy = CgroupHierarchy::Find();
    if (!hierarchy.ok()) GTEST_SKIP() << hierarchy.status();
    hierarchy_ = *std::move(hierarchy);
    if (getenv("PAGEWARDEN") == nullptr) GTEST_SKIP() << "run by meson test";
  }
  void Open(GuardOptions options) {
    HookReport report;
    auto hits = GuardHits::Open(hierarchy_->version(), options, &report);
    if (absl::IsPermissionDenied(hits.status())) GTEST_SKIP() << hits.status();
    ASSERT_TRUE(hits.ok()) << hits.status();
    hits_ = *std::move(hits);
  }
  std::vector<GuardEvent> Touch(Toucher& toucher, uint64_t address) {
    hits_->LookForShims();
    EXPECT_EQ(toucher.Touch(address), SIGSEGV);
    return hits_->Read();
  }

  std::optional<CgroupHierarchy> hierarchy_;
  std::optional<GuardHits> hits_;
};

#define OPEN_OR_SKIP(...) \
  Open(__VA_ARGS__);      \
  if (IsSkipped() || HasFatalFailure()) return

TEST_P(GuardHitsTest, TellsWhoWhereAndFromWhichCode) {
  ScratchCgroup cgroup(*hierarchy_, "guards");
  if (!cgroup.made()) GTEST_SKIP() << "cannot make cgroups here";
  OPEN_OR_SKIP({.scan = GetParam()});
  Toucher toucher;
  const auto shim = toucher.Shim();
  ASSERT_TRUE(shim.has_value());
  ASSERT_FALSE(shim->arenas.empty());
  ASSERT_TRUE(cgroup.Add(toucher.pid()));
  const uint64_t address = shim->arenas[0].base - 1;
  const auto events = Touch(toucher, address);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].pid, toucher.pid());
  EXPECT_EQ(events[0].uid, geteuid());
  EXPECT_THAT(events[0].comm, StartsWith("python3"));
  EXPECT_EQ(events[0].cgroup_id, cgroup.id());
  EXPECT_LT(absl::AbsDuration(absl::Now() - events[0].time), absl::Seconds(60));
  EXPECT_EQ(events[0].hit.address, address);
  EXPECT_EQ(events[0].hit.place, absl::StrCat("before arena ", shim->arenas[0].name));
  // Kernels before 5.17 cannot tell; a case of tests/kernels.
  if (absl::StrContains(hits_->Report().hook, "no module")) return;
  EXPECT_THAT(events[0].hit.module, HasSubstr("python3"));
  EXPECT_GT(events[0].hit.module_offset, 0u);
}

TEST_P(GuardHitsTest, EachGuardHasItsName) {
  OPEN_OR_SKIP({.scan = GetParam()});
  Toucher first;
  const auto shim = first.Shim();
  ASSERT_TRUE(shim.has_value() && !shim->arenas.empty());
  const auto events = Touch(first, shim->fence_base);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].hit.place, "before the tables");
  Toucher second;
  const auto other = second.Shim();
  ASSERT_TRUE(other.has_value() && !other->arenas.empty());
  const ShimArena& last = other->arenas.back();
  const auto after = Touch(second, other->fence_base + other->fence_bytes - 1);
  ASSERT_THAT(after, SizeIs(1));
  EXPECT_EQ(after[0].hit.place, absl::StrCat("after arena ", last.name));
}

TEST_P(GuardHitsTest, OtherFaultsAreNotToldOf) {
  OPEN_OR_SKIP({.scan = GetParam()});
  Toucher nowhere;
  EXPECT_THAT(Touch(nowhere, 16), IsEmpty());
  Toucher beside;
  const auto shim = beside.Shim();
  ASSERT_TRUE(shim.has_value());
  EXPECT_THAT(Touch(beside, shim->fence_base + (1ull << 44)), IsEmpty());
  Toucher sent;
  kill(sent.pid(), SIGSEGV);
  sent.Touch(0);
  EXPECT_THAT(hits_->Read(), IsEmpty());
  EXPECT_EQ(hits_->Report().lost, 0u);
}

TEST_P(GuardHitsTest, CountsWhatFindsTheRingFull) {
  OPEN_OR_SKIP({.ring_bytes = 4096, .scan = GetParam()});
  constexpr int kHits = 6;
  for (int i = 0; i < kHits; ++i) {
    Toucher toucher;
    const auto shim = toucher.Shim();
    ASSERT_TRUE(shim.has_value());
    hits_->LookForShims();
    EXPECT_EQ(toucher.Touch(shim->fence_base), SIGSEGV);
  }
  const auto events = hits_->Read();
  EXPECT_GT(events.size(), 0u);
  EXPECT_EQ(events.size() + hits_->Report().lost, static_cast<size_t>(kHits));
  EXPECT_GT(hits_->Report().lost, 0u);
}

INSTANTIATE_TEST_SUITE_P(Finding, GuardHitsTest, ::testing::Bool(), [](const auto& mode) {
  return mode.param ? "LedgersByScanning" : "LedgersInTheKernel";
});

// A process and its cgroup that are gone by the time their event is read.
TEST(WatchOfGuards, NamesACgroupThatIsGone) {
  if (getenv("PAGEWARDEN") == nullptr) GTEST_SKIP() << "run by meson test";
  const auto hierarchy = CgroupHierarchy::Find();
  if (!hierarchy.ok()) GTEST_SKIP() << hierarchy.status();
  WatchOptions options;
  options.count_runs = true;
  auto watch = Watch::Open(&*hierarchy, options);
  if (absl::IsPermissionDenied(watch.status())) GTEST_SKIP() << watch.status();
  ASSERT_TRUE(watch.ok()) << watch.status();
  ScratchCgroup cgroup(*hierarchy, "gone");
  if (!cgroup.made()) GTEST_SKIP() << "cannot make cgroups here";
  Toucher toucher;
  const auto shim = toucher.Shim();
  ASSERT_TRUE(shim.has_value());
  ASSERT_TRUE(cgroup.Add(toucher.pid()));
  // Where the mappings cannot be walked, the ledger is found by a scan, one each 5 s.
  for (const HookReport& hook : watch->hooks()) {
    if (!absl::StrContains(hook.hook, "scanning")) continue;
    for (int i = 0; i < 4; ++i) watch->Poll(absl::Seconds(2));
  }
  EXPECT_EQ(toucher.Touch(shim->fence_base), SIGSEGV);
  ASSERT_TRUE(cgroup.Remove());
  std::optional<WatchEvent> hit;
  for (const WatchEvent& event : watch->Poll(absl::Seconds(1))) {
    if (event.guard_hit && event.pid == toucher.pid()) hit = event;
  }
  ASSERT_TRUE(hit.has_value());
  EXPECT_EQ(hit->cgroup, cgroup.path());
  EXPECT_THAT(hit->comm, StartsWith("python3"));
  EXPECT_EQ(watch->CgroupPeaks().count(cgroup.path()), 0u);
  std::map<std::string, uint64_t> runs;
  std::map<std::string, std::string> hooks;
  for (const HookReport& report : watch->hooks()) {
    runs[report.question] = report.runs;
    hooks[report.question] = report.hook;
  }
  EXPECT_GT(runs["guard hits"], 0u);
  if (!hooks["peaks"].empty()) {  // 5.10 has none
    EXPECT_GT(runs["peaks"], 0u);
  }
  EXPECT_GT(runs["cgroup names"], 0u);
}

}  // namespace
}  // namespace pagewarden
