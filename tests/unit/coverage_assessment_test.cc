// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "agent/coverage/assessment.h"
#include "agent/coverage/in_force.h"
#include "agent/coverage/live_generation.h"
#include "agent/coverage/reasons.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);

AllocationPolicy Policy() {
  AllocationPolicy policy;
  policy.metadata.name = "keys";
  policy.spec.rules.emplace_back().name = "private-keys";
  policy.spec.arenas.emplace_back();
  return policy;
}

ShimState Shim() {
  ShimState shim;
  shim.policy = "keys";
  shim.mode = "Enforce";
  shim.active = true;
  ShimArena& arena = shim.arenas.emplace_back();
  arena.backing = abi::ArenaBacking::kLockedAnonymous;
  arena.capacity_bytes = arena.locked_bytes = 1 << 20;
  ShimTag& tag = shim.tags.emplace_back();
  tag.name = "private-keys";
  tag.is_rule = true;
  return shim;
}

// A dynamic program of glibc's, without the shim in its environment.
LaunchFacts Launch() {
  ExecutableFacts executable;
  executable.readable = true;
  ElfSummary& elf = executable.elf.emplace();
  elf.is_64_bit = elf.is_host_machine = elf.has_interpreter = true;
  elf.interpreter = "/lib64/ld-linux-x86-64.so.2";
  LaunchFacts facts;
  facts.executable = std::make_shared<ExecutableFacts>(executable);
  facts.secure_execution = false;
  facts.preload = "";
  return facts;
}

LaunchFacts WithExecutable(void (*change)(ExecutableFacts&)) {
  LaunchFacts facts = Launch();
  ExecutableFacts executable = *facts.executable;
  change(executable);
  facts.executable = std::make_shared<ExecutableFacts>(executable);
  return facts;
}

std::string WithoutShim(const LaunchFacts& facts, absl::Time started = kNoon,
                        absl::Time since = kNoon) {
  return AssessWithoutShim(facts, started, since, kNoon + absl::Minutes(1)).reason;
}

TEST(CoverageAssessment, CoveredUnderItsPolicy) {
  EXPECT_EQ(AssessShim(Shim(), Policy(), 0).state, CoverageState::kCovered);
}

TEST(CoverageAssessment, TheLedgersReasonIsTheReason) {
  for (const char* word :
       {"disabled", "no_image", "image_untrusted", "image_invalid", "shadowed", "no_reservation",
        "lock_failed", "no_next_allocator", "no_fork_handler", "sanitizer"}) {
    ShimState shim = Shim();
    shim.active = false;
    shim.uncovered = word;
    const Assessment assessment = AssessShim(shim, Policy(), 0);
    EXPECT_EQ(assessment.reason, word);
    EXPECT_EQ(assessment.state, CoverageState::kUncovered);
    EXPECT_NE(FindCoverageReason(word), nullptr);
  }
}

TEST(CoverageAssessment, LocksCountInEnforceOnly) {
  ShimState shim = Shim();
  shim.arenas[0].locked_bytes = 4096;
  EXPECT_EQ(AssessShim(shim, Policy(), 0).reason, "partly_locked");
  shim.arenas[0].locked_bytes = 0;
  EXPECT_EQ(AssessShim(shim, Policy(), 0).reason, "lock_failed");
  shim.mode = "Audit";
  AllocationPolicy policy = Policy();
  policy.spec.mode = abi::Mode::kAudit;
  EXPECT_EQ(AssessShim(shim, policy, 0).reason, "");
}

TEST(CoverageAssessment, AnArenaThatIsNotPassedOnNeedsNoLock) {
  ShimState shim = Shim();
  shim.arenas[0].locked_bytes = 0;
  shim.arenas[0].backing = abi::ArenaBacking::kNotInherited;
  EXPECT_EQ(AssessShim(shim, Policy(), 0).reason, "");
}

TEST(CoverageAssessment, PinsCountAsLocks) {
  ShimState shim = Shim();
  shim.unpinned_bytes = 4096;
  EXPECT_EQ(AssessShim(shim, Policy(), 0).reason, "partly_locked");
}

TEST(CoverageAssessment, OtherPolicyAndNone) {
  ShimState shim = Shim();
  shim.policy = "another";
  EXPECT_EQ(AssessShim(shim, Policy(), 0).reason, "other_policy");
  shim.active = false;
  EXPECT_EQ(AssessShim(shim, Policy(), 0).reason, "no_policy");
}

TEST(CoverageAssessment, Generations) {
  ShimState shim = Shim();
  shim.generation = 3;
  EXPECT_EQ(AssessShim(shim, Policy(), 3).reason, "");
  EXPECT_EQ(AssessShim(shim, Policy(), 0).reason, "");  // not known
  const Assessment stale = AssessShim(shim, Policy(), 4);
  EXPECT_EQ(stale.reason, "stale_policy");
  EXPECT_EQ(stale.state, CoverageState::kPending);
  EXPECT_EQ(AssessShim(shim, Policy(), kNoMoreGenerations).reason, "needs_restart");
  shim.rules_waiting = 1;
  EXPECT_THAT(AssessShim(shim, Policy(), 3).detail, HasSubstr("1 rule "));
}

TEST(CoverageAssessment, ModeAndRulesOfAnImageOfItsOwn) {
  ShimState shim = Shim();
  shim.mode = "Audit";
  EXPECT_EQ(AssessShim(shim, Policy(), 0).reason, "mode_differs");
  shim = Shim();
  shim.tags[0].name = "of-yesterday";
  EXPECT_EQ(AssessShim(shim, Policy(), 0).reason, "needs_restart");
}

TEST(CoverageAssessment, Executables) {
  EXPECT_EQ(WithoutShim(WithExecutable([](ExecutableFacts& e) { e.elf->has_interpreter = false; })),
            "static");
  EXPECT_EQ(WithoutShim(WithExecutable([](ExecutableFacts& e) { e.elf->is_host_machine = false; })),
            "wrong_class");
  EXPECT_EQ(WithoutShim(WithExecutable(
                [](ExecutableFacts& e) { e.elf->interpreter = "/system/bin/linker64"; })),
            "libc");
  EXPECT_EQ(WithoutShim(WithExecutable(
                [](ExecutableFacts& e) { e.elf->interpreter = "/lib/ld-musl-x86_64.so.1"; })),
            "not_preloaded");
}

TEST(CoverageAssessment, SecureExecutionNamesWhatOfTheFile) {
  LaunchFacts facts = WithExecutable([](ExecutableFacts& e) { e.privileges.setgid = true; });
  facts.secure_execution = true;
  const Assessment assessment = AssessWithoutShim(facts, kNoon, kNoon, kNoon);
  EXPECT_EQ(assessment.reason, "secure_exec");
  EXPECT_THAT(assessment.detail, HasSubstr("setgid"));
}

TEST(CoverageAssessment, AYoungProcessMayStillGetTheShim) {
  const auto reason_at = [](const LaunchFacts& facts, absl::Duration age) {
    return AssessWithoutShim(facts, kNoon, kNoon, kNoon + age).reason;
  };
  EXPECT_EQ(reason_at(Launch(), absl::Milliseconds(10)), "starting");
  EXPECT_EQ(reason_at(Launch(), kStartTakes), "not_preloaded");
  const LaunchFacts fixed =
      WithExecutable([](ExecutableFacts& e) { e.elf->has_interpreter = false; });
  EXPECT_EQ(reason_at(fixed, absl::Milliseconds(10)), "static");
}

TEST(CoverageAssessment, WhatWasToldAndWhen) {
  LaunchFacts facts = Launch();
  EXPECT_EQ(WithoutShim(facts, kNoon, kNoon), "not_preloaded");
  EXPECT_EQ(WithoutShim(facts, kNoon, kNoon + absl::Seconds(1)), "started_before");
  facts.preload = "/gone/libpagewarden.so";
  EXPECT_EQ(WithoutShim(facts, kNoon, kNoon + absl::Seconds(1)), "not_loaded");
  facts.preload.reset();
  EXPECT_EQ(WithoutShim(facts), "unreadable");
}

TEST(CoverageAssessment, TheSystemsPreloadCountsSinceItIsThere) {
  LaunchFacts facts = Launch();
  facts.system_preload = "/usr/lib/libpagewarden.so";
  facts.system_preload_since = kNoon;
  EXPECT_EQ(WithoutShim(facts, kNoon - absl::Seconds(1), kNoon - absl::Hours(1)), "started_before");
  EXPECT_EQ(WithoutShim(facts, kNoon, kNoon - absl::Hours(1)), "not_loaded");
}

TEST(CoverageAssessment, Protections) {
  ProcessRow row;
  row.locked_bytes = 0;
  row.total_bytes = 8 << 20;
  HostFacts host;
  host.core_pattern = "core";
  host.swap.emplace().push_back({"/dev/sda2", 1 << 20, Storage::kPlain, "sda2"});
  EXPECT_THAT(ProtectionsOf(row, host, false, {UINT64_MAX, false}), ElementsAre());
  EXPECT_THAT(ProtectionsOf(row, host, true, {0, false}),
              ElementsAre("its cgroup may not swap", "no core dumps"));
  (*host.swap)[0].storage = Storage::kEncrypted;
  row.locked_bytes = row.total_bytes - 4096;
  row.locks_future = true;
  EXPECT_THAT(ProtectionsOf(row, host, false, {UINT64_MAX, false}),
              ElementsAre("swap is encrypted", "all its memory is locked"));
  host.swap->clear();
  row.locked_bytes = 4096;
  EXPECT_THAT(ProtectionsOf(row, host, false, {UINT64_MAX, false}), ElementsAre("no swap"));
}

TEST(CoverageAssessment, ThePageHasTheTable) {
  std::ifstream file(SOURCE_ROOT "/docs/coverage.md");
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_THAT(page.str(), HasSubstr(CoverageReasonsAsMarkdown()));
}

}  // namespace
}  // namespace pagewarden
