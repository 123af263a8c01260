// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "agent/reasons/amounts.h"
#include "agent/reasons/reason.h"
#include "tests/unit/reasons_attempts.h"

namespace pagewarden {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A limit that is no round number and no mistake: nothing about it is special.
Attempt OverLimit() {
  Attempt attempt = AttemptOf(LockCall::kMlock, -ENOMEM, 128 * kMiB);
  attempt.soft_limit_bytes = attempt.hard_limit_bytes = 64 * kKiB + 12;
  return attempt;
}

std::vector<LimitDetail> DetailsOf(const Attempt& attempt) {
  const Verdict verdict = Classify(attempt);
  EXPECT_EQ(verdict.reason, Reason::kOverLimit) << verdict.explanation;
  return verdict.details;
}

TEST(LimitDetails, NoneOfAPlainRefusal) {
  EXPECT_THAT(DetailsOf(OverLimit()), IsEmpty());
  EXPECT_EQ(VerdictCode(Classify(OverLimit())), "OVER_LIMIT");
}

TEST(LimitDetails, SoftBelowHard) {
  Attempt attempt = OverLimit();
  attempt.hard_limit_bytes = *attempt.soft_limit_bytes + 1;
  EXPECT_THAT(DetailsOf(attempt), ElementsAre(LimitDetail::kSoftBelowHard));
  attempt.hard_limit_bytes.reset();
  EXPECT_THAT(DetailsOf(attempt), ElementsAre(LimitDetail::kSoftBelowHard));
  EXPECT_EQ(VerdictCode(Classify(attempt)), "OVER_LIMIT.SOFT_BELOW_HARD");
  EXPECT_THAT(Classify(attempt).explanation, HasSubstr("the hard limit is unlimited"));
}

TEST(LimitDetails, CapabilityInAUserNamespaceOnly) {
  Attempt attempt = OverLimit();
  attempt.cap_effective = attempt.cap_permitted = kAllCapabilities;
  attempt.in_initial_user_ns = false;
  EXPECT_THAT(DetailsOf(attempt), ElementsAre(LimitDetail::kCapInUserNs));
  EXPECT_THAT(Classify(attempt).explanation, HasSubstr("where it does not count"));
}

TEST(LimitDetails, CapabilityPermittedOrGivenButNotEffective) {
  Attempt attempt = OverLimit();
  attempt.cap_permitted = kIpcLock;
  EXPECT_THAT(DetailsOf(attempt), ElementsAre(LimitDetail::kCapNotEffective));
  attempt.cap_permitted = 0;
  attempt.cap_bounding = kIpcLock | 1;  // docker run --user --cap-add IPC_LOCK
  EXPECT_THAT(DetailsOf(attempt), ElementsAre(LimitDetail::kCapNotEffective));
  attempt.cap_bounding = kAllCapabilities;  // any login session
  EXPECT_THAT(DetailsOf(attempt), IsEmpty());
}

TEST(LimitDetails, LimitBelowOnePage) {
  Attempt attempt = OverLimit();
  attempt.soft_limit_bytes = attempt.hard_limit_bytes = 4095;
  EXPECT_THAT(DetailsOf(attempt), ElementsAre(LimitDetail::kLimitBelowPage));
  attempt.soft_limit_bytes = attempt.hard_limit_bytes = 4097;
  EXPECT_THAT(DetailsOf(attempt), IsEmpty());
}

TEST(LimitDetails, DriftOnlyWhereItDecides) {
  Attempt attempt = OverLimit();
  attempt.request_bytes = 64 * kKiB;
  attempt.locked_bytes = 704 * kKiB;
  attempt.locked_mappings_bytes = 0;
  EXPECT_THAT(DetailsOf(attempt), ElementsAre(LimitDetail::kDrift));
  EXPECT_THAT(Classify(attempt).explanation, HasSubstr("720896 bytes (704 KiB)"));
  attempt.locked_mappings_bytes = 4 * kKiB;  // does not fit without the drift either
  EXPECT_THAT(DetailsOf(attempt), IsEmpty());
  attempt.locked_mappings_bytes.reset();
  EXPECT_THAT(DetailsOf(attempt), IsEmpty());
}

// `ulimit -l` of 65536, copied to where bytes are meant.
TEST(LimitDetails, UnitWhereTheLimitInKibWouldDo) {
  Attempt attempt = OverLimit();
  attempt.request_bytes = 64 * kMiB;
  attempt.soft_limit_bytes = attempt.hard_limit_bytes = 65536;
  EXPECT_THAT(DetailsOf(attempt), ElementsAre(LimitDetail::kUnit));
  EXPECT_THAT(Classify(attempt).explanation,
              HasSubstr("65536 KiB would be 67108864 bytes and enough"));
  attempt.request_bytes += 4 * kKiB;  // would not do
  EXPECT_THAT(DetailsOf(attempt), IsEmpty());
}

TEST(LimitDetails, UnitOnlyForNumbersThatPeopleWrite) {
  Attempt attempt = OverLimit();
  attempt.request_bytes = 12 * kMiB;
  for (const uint64_t limit : {uint64_t{65536}, uint64_t{100000}, uint64_t{16384}}) {
    attempt.soft_limit_bytes = attempt.hard_limit_bytes = limit;
    EXPECT_THAT(DetailsOf(attempt), Contains(LimitDetail::kUnit)) << limit;
  }
  // The kernel's default, no round one, 68 KiB, and one that is meant as it is.
  for (const uint64_t limit : {8 * kMiB, uint64_t{77777}, 68 * kKiB, 4 * kMiB}) {
    attempt.soft_limit_bytes = attempt.hard_limit_bytes = limit;
    EXPECT_THAT(DetailsOf(attempt), Not(Contains(LimitDetail::kUnit))) << limit;
  }
}

TEST(LimitDetails, NoCapabilityAdviceWhereItDoesNotHelp) {
  Attempt attempt = AttemptOf(LockCall::kVdpaMap, -ENOMEM, 128 * kMiB);
  attempt.cap_permitted = kIpcLock;
  EXPECT_THAT(Classify(attempt).details, IsEmpty());
}

TEST(Amounts, BytesAndKib) {
  EXPECT_EQ(Amount(0), "0 bytes (0 KiB)");
  EXPECT_EQ(Amount(65536), "65536 bytes (64 KiB)");
  EXPECT_EQ(Amount(100), "100 bytes (0.1 KiB)");
  EXPECT_EQ(LimitAmount(std::nullopt), "unlimited");
}

}  // namespace
}  // namespace pagewarden
