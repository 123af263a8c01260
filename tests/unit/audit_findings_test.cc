// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>

#include "agent/audit/findings.h"
#include "agent/audit/limit_text.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kIpcLockBit = uint64_t{1} << CAP_IPC_LOCK;

ProcessRow Row() {
  ProcessRow row;
  row.pid = 4711;
  row.comm = "nginx";
  row.cgroup = "/a.service";
  row.locked_bytes = 16 * kKiB;
  row.soft_limit_bytes = 64 * kKiB;
  row.hard_limit_bytes = 64 * kKiB;
  return row;
}

AuditReport Report(const ProcessRow& row) {
  Snapshot snapshot;
  snapshot.processes = {row};
  return BuildReport(std::move(snapshot), nullptr, "");
}

// The only one that there must be.
AuditFinding Only(const AuditReport& report) {
  const std::vector<AuditFinding> findings = FindingsOf(report);
  EXPECT_EQ(findings.size(), 1u);
  return findings.empty() ? AuditFinding() : findings.front();
}

TEST(FindingsOf, NothingIsClean) {
  EXPECT_TRUE(FindingsOf(Report(Row())).empty());
  EXPECT_EQ(WorstOf({}), std::nullopt);
}

TEST(FindingsOf, LimitThatIsNearlyUsedUp) {
  ProcessRow row = Row();
  row.locked_bytes = 60 * kKiB;
  row.hard_limit_bytes = 128 * kKiB;
  const AuditFinding finding = Only(Report(row));
  EXPECT_EQ(finding.severity, Severity::kWarning);
  EXPECT_EQ(finding.code, "limit-near");
  EXPECT_EQ(finding.pid, 4711);
  EXPECT_EQ(finding.text,
            "locks 61440 B (60 KiB), 94% of its limit of 65536 B (64 KiB), hard 131072 B (128 "
            "KiB)");
}

TEST(FindingsOf, WhatTheCapabilityAloneAllows) {
  ProcessRow row = Row();
  row.locked_bytes = 128 * kKiB;
  row.cap_ipc_lock = true;
  const AuditFinding finding = Only(Report(row));
  EXPECT_EQ(finding.severity, Severity::kInfo);
  EXPECT_EQ(finding.code, "bypass");
}

TEST(FindingsOf, LimitWrittenInTheWrongUnit) {
  ProcessRow row = Row();
  row.locked_bytes = 0;
  row.soft_limit_bytes = row.hard_limit_bytes = 64;
  AuditFinding finding = Only(Report(row));
  EXPECT_EQ(finding.severity, Severity::kInfo);  // nobody is hurt yet
  EXPECT_EQ(finding.code, "limit-units");
  EXPECT_EQ(finding.text,
            "its limit is 64 B (0 KiB), which allows nothing: were 64 KiB (65536 B) meant?");
  row.pinned_bytes = 4096;
  row.soft_limit_bytes = row.hard_limit_bytes = 8192;
  finding = Only(Report(row));
  EXPECT_EQ(finding.severity, Severity::kWarning);
  EXPECT_EQ(finding.text, "its limit is 8192 B (8 KiB): were 8192 KiB (8388608 B) meant?");
  row.soft_limit_bytes = row.hard_limit_bytes = 0;  // forbidden on purpose
  EXPECT_TRUE(FindingsOf(Report(row)).empty());
}

TEST(FindingsOf, CapabilityThatDoesNotCount) {
  ProcessRow row = Row();
  row.cap_effective = row.cap_permitted = kIpcLockBit;
  row.in_initial_user_ns = false;
  AuditFinding finding = Only(Report(row));
  EXPECT_EQ(finding.code, "capability-in-user-namespace");
  EXPECT_EQ(finding.severity, Severity::kInfo);
  EXPECT_THAT(finding.text, HasSubstr("65536 B (64 KiB) binds"));
  row.cap_effective = 0;
  row.in_initial_user_ns = true;
  EXPECT_EQ(Only(Report(row)).code, "capability-not-effective");
}

TEST(FindingsOf, Drift) {
  ProcessRow row = Row();
  row.drift_bytes = 8192;
  AuditFinding finding = Only(Report(row));
  EXPECT_EQ(finding.code, "drift");
  EXPECT_THAT(finding.text, HasSubstr("8192 B (8 KiB) more than its locked mappings"));
  row.drift_bytes = -4096;
  EXPECT_THAT(Only(Report(row)).text, HasSubstr("4096 B (4 KiB) less"));
}

TEST(FindingsOf, WhatTheShimSays) {
  ProcessRow row = Row();
  row.shim_loaded = true;
  EXPECT_EQ(Only(Report(row)).severity, Severity::kError);  // a ledger that is not valid
  row.shim.emplace();
  EXPECT_TRUE(FindingsOf(Report(row)).empty());
  row.shim->uncovered = "lock_failed";
  EXPECT_EQ(Only(Report(row)).text, "its secrets are not fenced: lock failed");
  row.shim->uncovered = "";
  row.shim->violations[abi::kViolationCanary] = 1;
  EXPECT_EQ(Only(Report(row)).code, "corruption");
}

TEST(FindingsOf, CountersThatDiffer) {
  AuditReport report = Report(Row());
  report.differences = {{4711, "nginx", "/a.service", "VmPin", 4096, 8192}};
  const AuditFinding finding = Only(report);
  EXPECT_EQ(finding.code, "counters-differ");
  EXPECT_EQ(finding.text, "VmPin is 4096 B (4 KiB) by BPF, 8192 B (8 KiB) by /proc");
}

TEST(FindingsOf, RefusalsByReasonWorstFirst) {
  Observations seen;
  seen.denials["/a.service"].by_reason = {{"OVER_LIMIT", 3}, {"SECCOMP", 1}};
  seen.denials["/a.service"].privileged_bypasses = 2;
  Snapshot snapshot;
  snapshot.processes = {Row()};
  snapshot.processes[0].shim_loaded = true;
  ReportOptions options;
  options.observations = &seen;
  const std::vector<AuditFinding> findings =
      FindingsOf(BuildReport(std::move(snapshot), nullptr, "", options));
  ASSERT_EQ(findings.size(), 3u);
  EXPECT_EQ(findings[0].code, "uncovered");
  EXPECT_EQ(findings[1].text, "refused 4 times: OVER_LIMIT 3, SECCOMP 1");
  EXPECT_EQ(findings[2].code, "bypass");
  EXPECT_EQ(WorstOf(findings), Severity::kError);
}

TEST(LimitText, HasBytesAndKib) {
  EXPECT_EQ(LimitText(8388608), "8388608 B (8192 KiB)");
  EXPECT_EQ(LimitText(1023), "1023 B (0 KiB)");
  EXPECT_EQ(LimitText(std::nullopt), "unlimited");
  EXPECT_EQ(SoftAndHard(65536, 65536), "65536 B (64 KiB)");
  EXPECT_EQ(SoftAndHard(65536, std::nullopt), "65536 B (64 KiB), hard unlimited");
}

TEST(MayRaiseOf, FollowsSetrlimit) {
  ProcessRow row = Row();
  EXPECT_EQ(MayRaiseOf(row), MayRaise::kPrivileged);
  row.in_initial_user_ns = false;
  EXPECT_EQ(MayRaiseOf(row), MayRaise::kOutside);
  row.cap_effective = uint64_t{1} << CAP_SYS_RESOURCE;  // of the user namespace only
  EXPECT_EQ(MayRaiseOf(row), MayRaise::kOutside);
  row.in_initial_user_ns = true;
  EXPECT_EQ(MayRaiseOf(row), MayRaise::kSelf);
  row.cap_effective = 0;
  row.hard_limit_bytes.reset();
  EXPECT_EQ(MayRaiseOf(row), MayRaise::kSelfToHard);
  row.soft_limit_bytes.reset();
  EXPECT_EQ(MayRaiseOf(row), MayRaise::kNobodyNeedsTo);
}

TEST(IpcLockOf, TellsHowItCounts) {
  ProcessRow row = Row();
  EXPECT_EQ(IpcLockOf(row), IpcLock::kNone);
  row.cap_permitted = kIpcLockBit;
  EXPECT_EQ(IpcLockOf(row), IpcLock::kPermitted);
  row.in_initial_user_ns = false;  // would not count if it were effective either
  EXPECT_EQ(IpcLockOf(row), IpcLock::kNone);
  row.cap_effective = kIpcLockBit;
  EXPECT_EQ(IpcLockOf(row), IpcLock::kUserNamespace);
  row.in_initial_user_ns = row.cap_ipc_lock = true;
  EXPECT_EQ(IpcLockOf(row), IpcLock::kEffective);
}

}  // namespace
}  // namespace pagewarden
