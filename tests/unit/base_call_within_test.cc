// SPDX-License-Identifier: Apache-2.0
#include "agent/base/call_within.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kLong = absl::Seconds(60);
constexpr absl::Duration kShort = absl::Milliseconds(20);

TEST(CallWithin, MakesCallsOneAfterAnother) {
  int calls = 0;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(CallWithin(i, kLong, [&calls] { ++calls; }));
  EXPECT_EQ(calls, 100);
  EndCallThread();
  EXPECT_TRUE(CallWithin(1, kLong, [&calls] { ++calls; }));
  EXPECT_EQ(calls, 101);
}

TEST(CallWithin, ALateCallGoesOnAndStopsNoOther) {
  const auto release = std::make_shared<absl::Notification>();
  const auto ended = std::make_shared<std::atomic<int>>(0);
  const auto wait = [=] {
    release->WaitForNotification();
    ++*ended;
  };
  EXPECT_FALSE(CallWithin(1, kShort, wait));
  const absl::Time before = absl::Now();
  EXPECT_FALSE(CallWithin(1, kLong, [] { ADD_FAILURE() << "made beside the late one"; }));
  EXPECT_LT(absl::Now() - before, kLong / 2);
  EXPECT_TRUE(CallWithin(2, kLong, [] {}));
  for (int key = 10; key < 25; ++key) EXPECT_FALSE(CallWithin(key, kShort, wait));
  EXPECT_FALSE(CallWithin(2, kLong, [] { ADD_FAILURE() << "with too many late ones"; }));
  release->Notify();
  bool is_possible = false;
  for (int i = 0; i < 3000 && !is_possible; ++i) {
    is_possible = CallWithin(1, kLong, [] {});
    if (!is_possible) absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_TRUE(is_possible);
  EXPECT_GE(ended->load(), 1);
}

}  // namespace
}  // namespace pagewarden
