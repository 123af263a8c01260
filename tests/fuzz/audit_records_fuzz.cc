// SPDX-License-Identifier: Apache-2.0
// Records of refusals with damaged bytes, from the wire to the sentence.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <sstream>
#include <string>

#include "agent/reasons/reason.h"
#include "agent/watch/attempt_decode.h"
#include "tests/fuzz/mutate.h"

namespace pagewarden {
namespace {

constexpr int kRounds = 20000;

lock_attempt OverLimit() {
  lock_attempt wire = {};
  wire.task.soft_limit_bytes = wire.task.hard_limit_bytes = 64 << 10;
  wire.task.pid = wire.tgid = 4711;
  memcpy(wire.task.comm, "nginx", 6);
  wire.call = ATTEMPT_MLOCK;
  wire.flags = ATTEMPT_HAS_RESULT;
  wire.args[1] = wire.request_bytes = 1 << 20;
  wire.result = -ENOMEM;
  wire.refusals = 2;
  return wire;
}

TEST(AuditRecordsFuzzTest, AttemptsGetSomeReason) {
  Mutator mutate;
  std::istringstream symbols_text("ffffffff81000000 t perf_mmap\nffffffff81000100 t other\n");
  const KernelSymbols symbols = KernelSymbols::Parse(symbols_text, MechanismFunctions());
  const lock_attempt intact = OverLimit();
  ASSERT_EQ(Classify(DecodeAttempt(intact, symbols, true)).reason, Reason::kOverLimit);
  const std::string bytes(reinterpret_cast<const char*>(&intact), sizeof(intact));
  std::set<Reason> reasons;
  for (int round = 0; round < kRounds; ++round) {
    std::string damaged = mutate(bytes);
    damaged.resize(sizeof(lock_attempt));
    lock_attempt wire;
    memcpy(&wire, damaged.data(), sizeof(wire));
    if (round % 4 == 0) wire.call = static_cast<__u32>(round / 4 % 17);
    if (round % 3 == 0) wire.stack[0] = 0xffffffff81000010;
    const Attempt attempt = DecodeAttempt(wire, symbols, round % 2 == 0);
    EXPECT_STRNE(LockCallName(attempt.call), "");
    const Verdict verdict = Classify(attempt);
    EXPECT_FALSE(std::string(ReasonCode(verdict.reason)).empty());
    EXPECT_FALSE(verdict.explanation.empty());
    reasons.insert(verdict.reason);
  }
  EXPECT_GT(reasons.size(), 3u);
}

TEST(AuditRecordsFuzzTest, KernelSymbols) {
  Mutator mutate;
  const std::string text =
      "ffffffff81000000 t perf_mmap\nffffffff81000100 T secretmem_mmap.isra.0\n"
      "ffffffffc0000000 t ib_umem_get\t[ib_uverbs]\n";
  std::istringstream intact(text);
  ASSERT_EQ(KernelSymbols::Parse(intact, MechanismFunctions()).NameOf(0xffffffff81000010),
            "perf_mmap");
  int lost = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::istringstream damaged(mutate(text));
    lost += KernelSymbols::Parse(damaged, MechanismFunctions()).NameOf(0xffffffff81000010).empty();
  }
  EXPECT_GT(lost, 0);
}

}  // namespace
}  // namespace pagewarden
