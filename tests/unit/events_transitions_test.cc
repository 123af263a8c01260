// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "agent/events/event_log.h"
#include "agent/events/flood_gate.h"
#include "agent/events/transitions.h"
#include "tests/unit/events_samples.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::Duration kTick = absl::Seconds(1);

HostView ViewAt(int seconds) {
  HostView view;
  view.time = SampleTime() + seconds * kTick;
  return view;
}

void AddNear(HostView& view) {
  CgroupRow& cgroup = CgroupIn(view.report, "/a");
  ProcessRow row;
  row.pid = 7;
  row.comm = "locker";
  row.cgroup = "/a";
  row.locked_bytes = 60 << 10;
  row.soft_limit_bytes = row.hard_limit_bytes = 64 << 10;
  cgroup.processes = {row};
}

void AddBudgetState(HostView& view, BudgetLevel level, uint64_t used) {
  BudgetSource source;
  source.policy = "web";
  source.budget = "keys";
  source.limit_bytes = 1 << 20;
  source.used_bytes = used;
  source.level = level;
  view.budgets.states = {{BudgetScope::kService, "/system.slice/a.service", {source}, level}};
}

void AddUncovered(HostView& view, pid_t pid, const char* reason) {
  CoveredProcess process;
  process.pid = pid;
  process.comm = "busybox";
  process.exe = "/bin/busybox";
  process.cgroup = "/a";
  process.policy = "tls";
  process.reason = reason;
  process.text = "it is linked statically";
  process.protections = {"no swap"};
  view.coverage.processes.push_back(process);
}

// Ticks for `seconds` with what `add` puts into each view; all events.
template <typename Add>
std::vector<Event> RunTicks(Transitions& transitions, int from, int seconds, Add add) {
  std::vector<Event> all;
  for (int i = from; i < from + seconds; ++i) {
    HostView view = ViewAt(i);
    add(view);
    for (Event& event : transitions.Between(view)) all.push_back(std::move(event));
  }
  return all;
}

void Nothing(HostView&) {}

// Each kind is told when it begins and when it is over, and in between not.
template <typename Add>
void ExpectRaisedAndEnded(Add add, const char* type, Severity severity, const char* text) {
  Transitions transitions({});
  const std::vector<Event> begun = RunTicks(transitions, 0, 20, add);
  ASSERT_THAT(begun, SizeIs(1)) << type;
  EXPECT_EQ(begun[0].type, type);
  EXPECT_TRUE(begun[0].raised);
  EXPECT_EQ(begun[0].severity, severity);
  EXPECT_THAT(begun[0].text, HasSubstr(text));
  const std::vector<Event> ended = RunTicks(transitions, 20, 20, Nothing);
  ASSERT_THAT(ended, SizeIs(1)) << type;
  EXPECT_EQ(ended[0].type, type);
  EXPECT_FALSE(ended[0].raised);
  EXPECT_EQ(ended[0].severity, Severity::kInfo);
  EXPECT_EQ(ended[0].details["key"], begun[0].details["key"]);
}

TEST(TransitionsTest, LimitNear) {
  ExpectRaisedAndEnded(AddNear, "limitNear", Severity::kWarning,
                       "locker[7] locks 61440 B (60 KiB), 94% of its limit of 65536 B (64 KiB)");
}

TEST(TransitionsTest, LimitOfThePrivilegedDoesNotBind) {
  Transitions transitions({});
  EXPECT_THAT(RunTicks(transitions, 0, 3,
                       [](HostView& view) {
                         AddNear(view);
                         view.report.cgroups[0].processes[0].cap_ipc_lock = true;
                       }),
              IsEmpty());
}

TEST(TransitionsTest, Budget) {
  ExpectRaisedAndEnded(
      [](HostView& view) { AddBudgetState(view, BudgetLevel::kOver, 3 << 20); }, "budget",
      Severity::kError,
      "/system.slice/a.service locks 3145728 B (3072 KiB), 300% of the 1048576 B (1024 KiB) of "
      "budget keys of web");
}

TEST(TransitionsTest, ABudgetTellsEachLevel) {
  Transitions transitions({});
  const std::vector<Event> events = RunTicks(transitions, 0, 9, [](HostView& view) {
    const bool over = view.time >= SampleTime() + 3 * kTick && view.time < SampleTime() + 6 * kTick;
    AddBudgetState(view, over ? BudgetLevel::kOver : BudgetLevel::kNear, over ? 2 << 20 : 900000);
  });
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(events[0].details["level"], "near");
  EXPECT_EQ(events[0].severity, Severity::kWarning);
  EXPECT_EQ(events[1].details["level"], "over");
  EXPECT_EQ(events[2].details["level"], "near");
}

TEST(TransitionsTest, Rlimit) {
  ExpectRaisedAndEnded(
      [](HostView& view) {
        view.budgets.rlimits = {{7, "/bin/x", "/a", std::nullopt, 1 << 20, "web", "keys", {}},
                                {8, "/bin/x", "/a", std::nullopt, 1 << 20, "web", "keys", {}}};
      },
      "rlimit", Severity::kWarning, "/bin/x[7] may lock unlimited, more than the 1048576 B");
}

TEST(TransitionsTest, Uncovered) {
  ExpectRaisedAndEnded([](HostView& view) { AddUncovered(view, 7, "static"); }, "uncovered",
                       Severity::kError,
                       "the secrets of busybox[7] are not fenced as policy tls says: it is linked "
                       "statically; what holds: no swap");
}

TEST(TransitionsTest, ProcessesOfOneKindAreOneEvent) {
  Transitions transitions({});
  const std::vector<Event> events = RunTicks(transitions, 0, 3, [](HostView& view) {
    for (pid_t pid = 100; pid < 1100; ++pid) AddUncovered(view, pid, "static");
    AddUncovered(view, 7, "lock_failed");
  });
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].details["processes"], 1);
  EXPECT_EQ(events[1].details["processes"], 1000);
  EXPECT_THAT(events[1].details["pids"], SizeIs(16));
}

void AddViolation(HostView& view, uint64_t count) {
  CgroupRow& cgroup = CgroupIn(view.report, "/a");
  cgroup.processes = {FencedRow(7, 1, 10)};
  cgroup.processes[0].shim->violations[abi::kViolationCanary] = count;
}

TEST(TransitionsTest, Violation) {
  ExpectRaisedAndEnded([](HostView& view) { AddViolation(view, 1); }, "violation", Severity::kError,
                       "the fence of nginx[7] found its memory corrupted: Canary");
}

TEST(TransitionsTest, EachViolationIsTold) {
  Transitions transitions({});
  EXPECT_THAT(RunTicks(transitions, 0, 3, [](HostView& view) { AddViolation(view, 1); }),
              SizeIs(1));
  EXPECT_THAT(RunTicks(transitions, 3, 1, [](HostView& view) { AddViolation(view, 2); }),
              SizeIs(1));
}

TEST(TransitionsTest, SecretsAreNotOverBeforeTheyWereLookedFor) {
  const auto unfenced = [](HostView& view) {
    view.secrets.checked = SampleTime();
    SecretCopies copies;
    copies.policy = "tls";
    copies.file = "/etc/key.pem";
    copies.pid = 7;
    copies.comm = "nginx";
    copies.cgroup = "/a";
    copies.unfenced = 2;
    copies.where = {"d:raw in [heap]"};
    view.secrets.copies = {copies};
    view.secrets.errors = {{"tls", "/etc/gone.pem", "missing", "there is no such file"}};
  };
  Transitions first({});
  std::vector<Event> events = RunTicks(first, 0, 3, unfenced);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_THAT(events[1].text,
              HasSubstr("nginx[7] has 2 unfenced copies of the secret /etc/key.pem"));
  EXPECT_THAT(events[0].text, HasSubstr("the check of the secret /etc/gone.pem"));
  Transitions restarted(events);
  EXPECT_THAT(RunTicks(restarted, 3, 30, Nothing), IsEmpty());
  EXPECT_THAT(RunTicks(restarted, 33, 10, unfenced), IsEmpty());
  EXPECT_THAT(RunTicks(restarted, 43, 10, [](HostView& view) { view.secrets.checked = view.time; }),
              SizeIs(2));
}

PolicyStatus Policies(int attempt, bool ok, const char* hash) {
  PolicyStatus status;
  status.last_attempt = SampleTime() + absl::Seconds(attempt);
  status.last_reload_ok = ok;
  status.hash = hash;
  status.loaded.resize(2);
  if (!ok) status.errors = {"a.yaml:3:5: unknown key [PW-P012]"};
  return status;
}

TEST(TransitionsTest, Reloads) {
  Transitions transitions({});
  const auto tick = [&](int at, PolicyStatus status) {
    return RunTicks(transitions, at, 3, [&](HostView& view) { view.policies = status; });
  };
  const std::vector<Event> start = tick(0, Policies(0, true, "aaaa"));
  ASSERT_THAT(start, SizeIs(1));
  EXPECT_EQ(start[0].text, "2 policies are in force, set aaaa");
  EXPECT_FALSE(start[0].raised);
  const std::vector<Event> failed = tick(3, Policies(3, false, "aaaa"));
  ASSERT_THAT(failed, SizeIs(1));
  EXPECT_TRUE(failed[0].raised);
  EXPECT_EQ(failed[0].severity, Severity::kError);
  EXPECT_THAT(failed[0].text, HasSubstr("a.yaml:3:5: unknown key [PW-P012]"));
  EXPECT_THAT(tick(6, Policies(6, false, "aaaa")), IsEmpty());
  const std::vector<Event> fixed = tick(9, Policies(9, true, "bbbb"));
  ASSERT_THAT(fixed, SizeIs(1));
  EXPECT_FALSE(fixed[0].raised);
  EXPECT_EQ(fixed[0].details["hash"], "bbbb");
}

TEST(TransitionsTest, LossesAreToldOnceAMinute) {
  Transitions transitions({});
  uint64_t lost = 0;
  const std::vector<Event> events = RunTicks(
      transitions, 0, 121, [&](HostView& view) { view.health.events_lost["denials"] = ++lost; });
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(events[0].text, "1 event lost: the buffer of denials was full");
  EXPECT_EQ(events[1].text, "60 events lost: the buffer of denials was full");
}

// Killed at any moment, the agent tells nothing twice and forgets no end.
TEST(TransitionsTest, ARestartTellsNothingTwice) {
  const TempDirectory directory;
  const auto troubles = [](HostView& view) {
    AddNear(view);
    AddBudgetState(view, BudgetLevel::kOver, 3 << 20);
    AddUncovered(view, 7, "static");
    view.policies = Policies(0, false, "aaaa");
  };
  for (int restart = 0; restart < 4; ++restart) {
    auto log = EventLog::Open(directory.path(), {});
    ASSERT_TRUE(log.ok());
    Transitions transitions(log->Standing());
    std::vector<Event> events = RunTicks(transitions, 30 * restart, 30, troubles);
    EXPECT_THAT(events, SizeIs(restart == 0 ? 4 : 0));
    ASSERT_TRUE(log->Append(events).ok());
  }
  auto log = EventLog::Open(directory.path(), {});
  Transitions transitions(log->Standing());
  EXPECT_THAT(RunTicks(transitions, 200, 4, Nothing), IsEmpty());  // may have been too short a look
  std::vector<Event> events = RunTicks(
      transitions, 204, 10, [](HostView& view) { view.policies = Policies(204, true, "aaaa"); });
  EXPECT_THAT(events, SizeIs(4));
  for (const Event& event : events) EXPECT_FALSE(event.raised);
  ASSERT_TRUE(log->Append(events).ok());
  EXPECT_THAT(log->Standing(), SizeIs(1));  // the last reload
}

TEST(EventOfTest, DenialBypassGuardHit) {
  const Event denial = EventOf(SampleDenial("/a"));
  EXPECT_EQ(denial.type, "denial");
  EXPECT_EQ(denial.severity, Severity::kWarning);
  EXPECT_EQ(denial.cgroup, "/a");
  EXPECT_THAT(denial.text, HasSubstr("refused: mlock of 1048576 B (1024 KiB): OVER_LIMIT"));
  EXPECT_THAT(denial.text, Not(HasSubstr(" in /a")));
  EXPECT_EQ(denial.details["reason"], "OVER_LIMIT");
  EXPECT_EQ(denial.details["requestBytes"], 1 << 20);

  WatchEvent allowed = SampleDenial("/a");
  allowed.verdict->reason = Reason::kPrivilegedBypass;
  EXPECT_EQ(EventOf(allowed).type, "bypass");
  EXPECT_EQ(EventOf(allowed).severity, Severity::kInfo);

  WatchEvent hit = SampleDenial("/a");
  hit.attempt.reset();
  hit.verdict.reset();
  hit.guard_hit = GuardHit{0x1000, "before arena default", "libx.so", 0x42};
  EXPECT_EQ(EventOf(hit).type, "guardHit");
  EXPECT_EQ(EventOf(hit).severity, Severity::kError);
  EXPECT_THAT(EventOf(hit).text, HasSubstr("guard hit: 0x1000, before arena default"));
}

TEST(FloodGateTest, AFloodIsAFewEventsAndASum) {
  FloodGate gate;
  std::vector<Event> events;
  const absl::Time start = SampleTime();
  for (int second = 0; second < 70; ++second) {
    const absl::Time now = start + absl::Seconds(second);
    for (int i = 0; i < 1000; ++i) gate.Add(SampleDenial("/a", now));
    for (Event& event : gate.Take(now)) events.push_back(std::move(event));
  }
  // Ten, the sum of a minute, and ten of the next one.
  ASSERT_THAT(events, SizeIs(21));
  uint64_t total = 0;
  for (const Event& event : events) total += event.details.value("count", uint64_t{1});
  EXPECT_EQ(events[10].details["count"], 61000 - 10);
  EXPECT_THAT(events[10].text, HasSubstr("60990 more like it since "));
  for (const Event& event : gate.Take(start + absl::Seconds(70), /*all=*/true)) {
    total += event.details.value("count", uint64_t{1});
  }
  EXPECT_EQ(total, 70000u);
}

TEST(FloodGateTest, AHostOfCgroupsIsBounded) {
  FloodGateOptions options;
  options.max_kinds = 100;
  FloodGate gate(options);
  for (int i = 0; i < 5000; ++i) gate.Add(SampleDenial(absl::StrCat("/pod", i)));
  EXPECT_THAT(gate.Take(SampleTime()), SizeIs(100 + 10));
  const std::vector<Event> sums = gate.Take(SampleTime(), /*all=*/true);
  ASSERT_THAT(sums, SizeIs(1));
  EXPECT_EQ(sums[0].details["count"], 4890);
}

}  // namespace
}  // namespace pagewarden
