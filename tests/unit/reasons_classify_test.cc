// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <csignal>

#include "agent/reasons/reason.h"
#include "tests/unit/reasons_attempts.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;

Reason ReasonOf(const Attempt& attempt) { return Classify(attempt).reason; }

TEST(Eperm, WithALimitAndNoQuestionIsAFilter) {
  Attempt attempt = Refused(AttemptOf(LockCall::kMlock, -EPERM, 4 * kKiB), 0);
  attempt.seccomp_mode = 2;
  EXPECT_EQ(ReasonOf(attempt), Reason::kSeccomp);
  EXPECT_THAT(Classify(attempt).explanation, HasSubstr("by its seccomp filter"));
  attempt.seccomp_mode = 0;
  EXPECT_THAT(Classify(attempt).explanation, HasSubstr("by a security module"));
}

TEST(Eperm, LimitZero) {
  Attempt attempt = Refused(AttemptOf(LockCall::kMlock, -EPERM, 4 * kKiB), 1);
  attempt.soft_limit_bytes = 0;
  EXPECT_EQ(ReasonOf(attempt), Reason::kLimitZero);
  attempt.capability_asked.reset();  // no hook: the limit is the best guess
  EXPECT_EQ(ReasonOf(attempt), Reason::kLimitZero);
  attempt.capability_asked = false;  // the filter came before the limit
  EXPECT_EQ(ReasonOf(attempt), Reason::kSeccomp);
}

TEST(Eperm, ShmctlOwnerBeforeLimit) {
  Attempt attempt = Refused(AttemptOf(LockCall::kShmctlLock, -EPERM, 4 * kKiB), 1);
  attempt.soft_limit_bytes = 0;
  attempt.shm_owner = false;
  EXPECT_EQ(ReasonOf(attempt), Reason::kNotOwner);
  attempt.shm_owner = true;
  EXPECT_EQ(ReasonOf(attempt), Reason::kLimitZero);
  attempt.shm_owner.reset();
  attempt.soft_limit_bytes = 64 * kKiB;  // with a limit, only the owner can be the reason
  EXPECT_EQ(ReasonOf(attempt), Reason::kNotOwner);
}

TEST(Eperm, PerfAndBpfCompareOtherCounters) {
  Attempt perf = AttemptOf(LockCall::kPerfMmap, -EPERM, 128 * kKiB);
  EXPECT_EQ(ReasonOf(perf), Reason::kPerfBudget);
  perf.request_bytes = 4 * kKiB;
  EXPECT_EQ(ReasonOf(perf), Reason::kUnknown);
  EXPECT_EQ(ReasonOf(Refused(perf, 1)), Reason::kPerfBudget);

  Attempt bpf = AttemptOf(LockCall::kBpf, -EPERM, 4 * kKiB);
  bpf.uid_locked_bytes = 64 * kKiB;
  EXPECT_EQ(ReasonOf(bpf), Reason::kBpfUidBudget);
  EXPECT_THAT(Classify(bpf).explanation, HasSubstr("CAP_IPC_LOCK does not lift this limit"));
  bpf.uid_locked_bytes = 0;
  EXPECT_EQ(ReasonOf(bpf), Reason::kUnknown);
}

TEST(Eperm, ShmgetHugetlb) {
  EXPECT_EQ(ReasonOf(AttemptOf(LockCall::kShmgetHugetlb, -EPERM, 2 * kMiB)), Reason::kHugetlbGroup);
  Attempt asked = AttemptOf(LockCall::kShmgetHugetlb, 0, 0);
  asked.result.reset();
  EXPECT_EQ(ReasonOf(asked), Reason::kHugetlbGroup);
  asked.in_hugetlb_group = true;
  EXPECT_EQ(ReasonOf(asked), Reason::kNone);
}

TEST(Enomem, OverByOnePageOnly) {
  Attempt attempt = AttemptOf(LockCall::kMlock, -ENOMEM, 4 * kKiB);
  attempt.locked_bytes = 60 * kKiB;
  EXPECT_EQ(ReasonOf(attempt), Reason::kUnknown);  // 64 of 64 KiB fit
  attempt.locked_bytes = 64 * kKiB;
  EXPECT_EQ(ReasonOf(attempt), Reason::kOverLimit);
}

TEST(Enomem, LimitCountsInWholePages) {
  Attempt attempt = AttemptOf(LockCall::kMlock, -ENOMEM, 64 * kKiB);
  attempt.soft_limit_bytes = attempt.hard_limit_bytes = 64 * kKiB + 4095;
  EXPECT_EQ(ReasonOf(attempt), Reason::kUnknown);
  attempt.request_bytes += 4 * kKiB;
  EXPECT_EQ(ReasonOf(attempt), Reason::kOverLimit);
}

TEST(Enomem, OverlapIsNotChargedAgain) {
  Attempt attempt = AttemptOf(LockCall::kMlock, -ENOMEM, 64 * kKiB);
  attempt.locked_bytes = 64 * kKiB;
  EXPECT_EQ(ReasonOf(attempt), Reason::kOverLimit);
  attempt.range.emplace();
  attempt.range->already_locked_bytes = 60 * kKiB;
  EXPECT_EQ(ReasonOf(attempt), Reason::kOverLimit);  // 4 + 64
  attempt.range->already_locked_bytes = 64 * kKiB;
  attempt.range->has_unpopulatable = true;
  EXPECT_EQ(ReasonOf(attempt), Reason::kUnpopulatable);
}

TEST(Enomem, HugeSumsDoNotWrap) {
  Attempt attempt = AttemptOf(LockCall::kMlock, -ENOMEM, UINT64_MAX & ~uint64_t{4095});
  attempt.locked_bytes = 64 * kKiB;
  EXPECT_EQ(ReasonOf(attempt), Reason::kOverLimit);
  attempt.soft_limit_bytes.reset();
  EXPECT_EQ(ReasonOf(attempt), Reason::kUnknown);
}

TEST(Enomem, OnlyHugetlbIsOver) {
  Attempt attempt = AttemptOf(LockCall::kMlock, -ENOMEM, 2 * kMiB + 4 * kKiB);
  attempt.range.emplace();
  attempt.range->hugetlb_bytes = 2 * kMiB;
  EXPECT_EQ(ReasonOf(attempt), Reason::kHugetlbLength);
  attempt.request_bytes += 64 * kKiB;  // over without it, too
  EXPECT_EQ(ReasonOf(attempt), Reason::kOverLimit);
}

TEST(Enomem, MlockallComparesTheAddressSpace) {
  Attempt attempt = AttemptOf(LockCall::kMlockall, -ENOMEM, 0);
  attempt.flags = MCL_CURRENT;
  const Verdict verdict = Classify(attempt);
  EXPECT_EQ(verdict.reason, Reason::kOverLimitVsz);
  EXPECT_THAT(verdict.explanation, HasSubstr("VmSize, not RSS) of 2097152 bytes (2048 KiB) is over "
                                             "RLIMIT_MEMLOCK of 65536 bytes (64 KiB)"));
  attempt.flags = MCL_FUTURE;  // compares nothing
  EXPECT_EQ(ReasonOf(attempt), Reason::kUnknown);
}

TEST(Enomem, HoleBeforeUnpopulatableBeforeVmaLimit) {
  Attempt attempt = AttemptOf(LockCall::kMlock2, -ENOMEM, 8 * kKiB);
  attempt.map_count = 65529;
  EXPECT_EQ(ReasonOf(attempt), Reason::kVmaLimit);
  attempt.range.emplace();
  attempt.range->has_unpopulatable = true;
  EXPECT_EQ(ReasonOf(attempt), Reason::kUnpopulatable);
  attempt.range->has_hole = true;
  EXPECT_EQ(ReasonOf(attempt), Reason::kHole);
  attempt.range.reset();
  attempt.map_count = 65528;
  EXPECT_EQ(ReasonOf(attempt), Reason::kUnknown);
}

TEST(Enomem, TheKernelsOwnComparisonBeatsLateBooks) {
  const Attempt within = AttemptOf(LockCall::kMlock, -ENOMEM, 4 * kKiB);
  EXPECT_EQ(ReasonOf(Refused(within, 2)), Reason::kOverLimit);
  EXPECT_EQ(ReasonOf(Refused(within, 1)), Reason::kUnknown);
  const Attempt over = AttemptOf(LockCall::kMlock, -ENOMEM, 128 * kKiB);
  EXPECT_EQ(ReasonOf(Refused(over, 0)), Reason::kUnknown);
  EXPECT_EQ(ReasonOf(over), Reason::kOverLimit);
}

// Root over its limit: the capability was granted, so the limit is not the reason.
TEST(Enomem, GrantedAndRefusedNevertheless) {
  Attempt attempt = AttemptOf(LockCall::kMlock, -ENOMEM, 128 * kKiB);
  attempt.cap_effective = kIpcLock;
  attempt.capability_asked = attempt.capability_granted = true;
  attempt.range.emplace();
  attempt.locked_after_bytes = 128 * kKiB;
  EXPECT_EQ(ReasonOf(attempt), Reason::kUnpopulatable);
  attempt.range->has_hole = true;
  EXPECT_EQ(ReasonOf(attempt), Reason::kHole);
  attempt.range->has_hole = false;
  attempt.locked_after_bytes = 0;  // nothing charged: it was not let through
  EXPECT_EQ(ReasonOf(attempt), Reason::kOverLimit);
  EXPECT_THAT(Classify(attempt).explanation, HasSubstr("AppArmor"));
}

TEST(Enomem, WhatNoListOfMappingsShows) {
  Attempt attempt = Refused(AttemptOf(LockCall::kMlock, -ENOMEM, 4 * kKiB), 0);
  EXPECT_EQ(ReasonOf(attempt), Reason::kUnknown);
  attempt.range.emplace();  // all of it looks well
  EXPECT_EQ(ReasonOf(attempt), Reason::kUnpopulatable);
}

TEST(Enomem, OtherCounters) {
  Attempt ring = AttemptOf(LockCall::kIoUringRegister, -ENOMEM, 8 * kKiB);
  ring.locked_bytes = 64 * kKiB;  // VmLck is not compared
  ring.uid_locked_bytes = 0;
  EXPECT_EQ(ReasonOf(ring), Reason::kUnknown);
  ring.uid_locked_bytes = 60 * kKiB;
  EXPECT_EQ(ReasonOf(ring), Reason::kUidBudget);
  EXPECT_THAT(Classify(ring).explanation, HasSubstr("all processes of the uid share"));

  Attempt rdma = AttemptOf(LockCall::kRdmaRegister, -ENOMEM, 8 * kKiB);
  rdma.pinned_bytes = 60 * kKiB;
  EXPECT_EQ(ReasonOf(rdma), Reason::kPinBudget);
  rdma.call = LockCall::kVdpaMap;
  EXPECT_EQ(ReasonOf(rdma), Reason::kPinBudget);

  Attempt shm = AttemptOf(LockCall::kShmctlLock, -ENOMEM, 48 * kKiB);
  shm.uid_shm_locked_bytes = 48 * kKiB;
  EXPECT_EQ(ReasonOf(shm), Reason::kUidBudget);
}

TEST(Eagain, LimitForMappingsAndMemoryForMlock) {
  Attempt attempt = AttemptOf(LockCall::kMmap, -EAGAIN, 128 * kKiB);
  attempt.flags = MAP_LOCKED;
  EXPECT_EQ(ReasonOf(attempt), Reason::kFutureOverLimit);
  attempt.locks_future = true;
  EXPECT_THAT(Classify(attempt).explanation, HasSubstr("mlockall(MCL_FUTURE)"));
  for (const LockCall call : {LockCall::kMremap, LockCall::kSecretMemoryMap}) {
    attempt.call = call;
    EXPECT_EQ(ReasonOf(attempt), Reason::kFutureOverLimit);
  }
  attempt.call = LockCall::kMlock;
  EXPECT_EQ(ReasonOf(attempt), Reason::kNoMemory);
}

TEST(Eagain, RefusedBrkIsWhatLibcCallsEnomem) {
  EXPECT_EQ(ReasonOf(AttemptOf(LockCall::kBrk, -ENOMEM, 128 * kKiB)), Reason::kFutureOverLimit);
  EXPECT_EQ(ReasonOf(AttemptOf(LockCall::kBrk, -ENOMEM, 4 * kKiB)), Reason::kUnknown);
}

TEST(OtherErrors, AreWhatTheySay) {
  EXPECT_EQ(ReasonOf(AttemptOf(LockCall::kXdpUmem, -ENOBUFS, 0)), Reason::kUidBudget);
  EXPECT_EQ(ReasonOf(AttemptOf(LockCall::kZeroCopySend, -ENOBUFS, 0)), Reason::kUidBudget);
  EXPECT_EQ(ReasonOf(AttemptOf(LockCall::kMlock2, -EINVAL, 0)), Reason::kArguments);
  EXPECT_EQ(ReasonOf(AttemptOf(LockCall::kMlock, -EINTR, 0)), Reason::kSignalled);
  EXPECT_EQ(ReasonOf(AttemptOf(LockCall::kMlock, -EIO, 0)), Reason::kUnknown);
}

TEST(Signals, StackAndSecretMemory) {
  Attempt stack = AttemptOf(LockCall::kStackGrowth, 0, 128 * kKiB);
  stack.result.reset();
  stack.signal = SIGSEGV;
  EXPECT_EQ(ReasonOf(stack), Reason::kStackOverLimit);
  stack.request_bytes = 4 * kKiB;  // an ordinary crash
  EXPECT_EQ(ReasonOf(stack), Reason::kUnknown);

  Attempt secret = AttemptOf(LockCall::kSecretMemoryFault, 0, 4 * kKiB);
  secret.result.reset();
  secret.signal = SIGBUS;
  secret.uid_locked_bytes = 64 * kKiB;
  secret.cap_effective = kIpcLock;
  EXPECT_EQ(ReasonOf(secret), Reason::kSecretUidBudget);
  secret.uid_locked_bytes = 0;  // another uid made the memfd, and pays for it
  EXPECT_EQ(ReasonOf(secret), Reason::kSecretUidBudget);
  EXPECT_THAT(Classify(secret).explanation, HasSubstr("the uid that made the memfd"));
}

TEST(Success, OverTheLimitByCapability) {
  Attempt attempt = AttemptOf(LockCall::kMlock, 0, 128 * kKiB);
  attempt.cap_effective = kIpcLock;
  EXPECT_EQ(ReasonOf(attempt), Reason::kPrivilegedBypass);
  EXPECT_THAT(Classify(attempt).explanation, HasSubstr("would be refused without"));
  attempt.request_bytes = 64 * kKiB;
  EXPECT_EQ(ReasonOf(attempt), Reason::kNone);
  attempt.locked_bytes = 64 * kKiB;
  attempt.range.emplace();
  attempt.range->already_locked_bytes = 64 * kKiB;  // would not break without it
  EXPECT_EQ(ReasonOf(attempt), Reason::kNone);
}

TEST(Success, MlockallThatLockedLittle) {
  Attempt attempt = AttemptOf(LockCall::kMlockall, 0, 0);
  attempt.flags = MCL_CURRENT;
  attempt.soft_limit_bytes.reset();
  attempt.locked_after_bytes = attempt.total_bytes / 2;
  EXPECT_EQ(ReasonOf(attempt), Reason::kNone);
  attempt.locked_after_bytes = attempt.total_bytes / 2 - 4096;
  EXPECT_EQ(ReasonOf(attempt), Reason::kPartial);
  attempt.flags = MCL_FUTURE;
  EXPECT_EQ(ReasonOf(attempt), Reason::kNone);
}

// doctor: what would the kernel say?
TEST(Prediction, FollowsTheKernelsOrder) {
  Attempt attempt = AttemptOf(LockCall::kMlock2, 0, kMiB);
  attempt.result.reset();
  EXPECT_EQ(ReasonOf(attempt), Reason::kOverLimit);
  attempt.cap_effective = kIpcLock;
  EXPECT_EQ(ReasonOf(attempt), Reason::kPrivilegedBypass);
  attempt.in_initial_user_ns = false;
  EXPECT_EQ(ReasonOf(attempt), Reason::kOverLimit);
  attempt.soft_limit_bytes = 0;
  EXPECT_EQ(ReasonOf(attempt), Reason::kLimitZero);
  attempt.soft_limit_bytes = kMiB;
  EXPECT_EQ(ReasonOf(attempt), Reason::kNone);
  attempt.map_count = 65530;
  EXPECT_EQ(ReasonOf(attempt), Reason::kVmaLimit);
}

TEST(Prediction, OfACallWhoseQuestionWasSeen) {
  Attempt attempt = AttemptOf(LockCall::kMlock, 0, 4 * kKiB);
  attempt.result.reset();
  EXPECT_EQ(ReasonOf(Refused(attempt, 1)), Reason::kNone);  // fitted once overlap was subtracted
  EXPECT_EQ(ReasonOf(Refused(attempt, 2)), Reason::kOverLimit);
  attempt.call = LockCall::kMmap;  // a limit of 0 without MAP_LOCKED is not EPERM
  attempt.soft_limit_bytes = 0;
  EXPECT_EQ(ReasonOf(attempt), Reason::kFutureOverLimit);
  attempt.flags = MAP_LOCKED;
  EXPECT_EQ(ReasonOf(attempt), Reason::kLimitZero);
}

TEST(Names, EveryReasonHasACodeOfItsOwn) {
  std::vector<std::string> codes;
  for (int i = 0; i <= static_cast<int>(Reason::kUnknown); ++i) {
    codes.push_back(ReasonCode(static_cast<Reason>(i)));
  }
  std::sort(codes.begin(), codes.end());
  EXPECT_EQ(std::adjacent_find(codes.begin(), codes.end()), codes.end());
}

}  // namespace
}  // namespace pagewarden
