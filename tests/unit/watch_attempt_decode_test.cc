// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <csignal>
#include <sstream>

#include "agent/watch/attempt_decode.h"

namespace pagewarden {
namespace {

constexpr uint64_t kPage = 4096;

lock_attempt Wire(lock_attempt_call call) {
  lock_attempt wire = {};
  wire.call = call;
  wire.task.soft_limit_bytes = 65536;
  wire.task.hard_limit_bytes = UINT64_MAX;
  wire.request_bytes = 4 * kPage;
  return wire;
}

Attempt Decode(const lock_attempt& wire, bool sees_questions = true) {
  std::istringstream text(
      "ffffffff81578000 t perf_mmap\nffffffff81579000 t secretmem_mmap_prepare\n"
      "ffffffff8157a000 t other\n");
  return DecodeAttempt(wire, KernelSymbols::Parse(text, MechanismFunctions()), sees_questions);
}

TEST(DecodeAttempt, CallsByNumberAndByStack) {
  EXPECT_EQ(Decode(Wire(ATTEMPT_MLOCK2)).call, LockCall::kMlock2);
  lock_attempt mmap = Wire(ATTEMPT_MMAP);
  EXPECT_EQ(Decode(mmap).call, LockCall::kMmap);
  mmap.stack[3] = 0xffffffff81578010;
  EXPECT_EQ(Decode(mmap).call, LockCall::kPerfMmap);
  mmap.stack[3] = 0xffffffff81579010;
  EXPECT_EQ(Decode(mmap).call, LockCall::kSecretMemoryMap);
  mmap.stack[3] = 0xffffffff8157a010;
  EXPECT_EQ(Decode(mmap).call, LockCall::kMmap);
  EXPECT_EQ(Decode(Wire(ATTEMPT_BY_STACK)).call, LockCall::kOther);
}

TEST(DecodeAttempt, FaultsByTheirSignal) {
  lock_attempt fault = Wire(ATTEMPT_FAULT);
  EXPECT_EQ(Decode(fault).call, LockCall::kStackGrowth);
  fault.signal = SIGBUS;
  EXPECT_EQ(Decode(fault).call, LockCall::kSecretMemoryFault);
}

TEST(DecodeAttempt, LimitsAndBooks) {
  lock_attempt wire = Wire(ATTEMPT_MLOCK);
  wire.task.locked_pages = 3;
  wire.task.user_shm_locked_pages = 5;
  Attempt attempt = Decode(wire);
  EXPECT_EQ(attempt.soft_limit_bytes, 65536u);
  EXPECT_EQ(attempt.hard_limit_bytes, std::nullopt);
  EXPECT_EQ(attempt.locked_bytes, 3 * kPage);
  EXPECT_EQ(attempt.uid_shm_locked_bytes, std::nullopt);  // no such counter
  wire.task.flags = TASK_HAS_SHM_COUNT;
  EXPECT_EQ(Decode(wire).uid_shm_locked_bytes, 5 * kPage);
}

TEST(DecodeAttempt, NotAskedIsAFactOnlyWhereQuestionsAreSeen) {
  lock_attempt wire = Wire(ATTEMPT_MLOCK);
  EXPECT_EQ(Decode(wire, true).capability_asked, false);
  EXPECT_EQ(Decode(wire, false).capability_asked, std::nullopt);
  wire.grants = 2;
  EXPECT_TRUE(Decode(wire).capability_granted);
  wire.refusals = 1;  // in its own namespace, but not for the limit
  EXPECT_FALSE(Decode(wire).capability_granted);
}

TEST(DecodeAttempt, OverlapOfASuccessIsWhatItDidNotAdd) {
  lock_attempt wire = Wire(ATTEMPT_MLOCK);
  wire.flags = ATTEMPT_HAS_RESULT | ATTEMPT_BOOKS_BEFORE;
  wire.task.locked_pages = 10;
  wire.locked_after = 11;  // of four pages, three were locked before
  ASSERT_TRUE(Decode(wire).range.has_value());
  EXPECT_EQ(Decode(wire).range->already_locked_bytes, 3 * kPage);
  wire.locked_after = 2;  // another thread unlocked meanwhile
  EXPECT_EQ(Decode(wire).range->already_locked_bytes, 4 * kPage);
}

TEST(DecodeAttempt, RangeOfAFailure) {
  lock_attempt wire = Wire(ATTEMPT_MLOCK);
  wire.flags = ATTEMPT_HAS_RESULT;
  wire.result = -ENOMEM;
  EXPECT_FALSE(Decode(wire).range.has_value());
  wire.flags |= ATTEMPT_HAS_RANGE | ATTEMPT_HOLE;
  ASSERT_TRUE(Decode(wire).range.has_value());
  EXPECT_TRUE(Decode(wire).range->has_hole);
  EXPECT_FALSE(Decode(wire).range->has_unpopulatable);
}

TEST(DecodeAttempt, ARingOfManyEntriesIsBounded) {
  lock_attempt wire = Wire(ATTEMPT_RING_SETUP);
  wire.args[0] = 4096;
  EXPECT_EQ(Decode(wire).request_bytes, 413696u);  // 148 KiB of rings, 256 KiB of entries
  wire.args[0] = UINT64_MAX;
  EXPECT_LT(Decode(wire).request_bytes, uint64_t{4} << 20);
}

}  // namespace
}  // namespace pagewarden
