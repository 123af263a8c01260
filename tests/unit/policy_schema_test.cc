// SPDX-License-Identifier: Apache-2.0
// What right policies mean; tests/cases/policy holds the wrong ones.
#include <gmock/gmock.h>

#include "agent/policy/schema.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kHead[] = "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\n";

AllocationPolicy LoadOne(const std::string& rest) {
  const PolicySet set = LoadValid(kHead + rest);
  EXPECT_EQ(set.policies.size(), 1u);
  return set.policies.empty() ? AllocationPolicy() : set.policies[0];
}

TEST(Schema, TenLinesGetSecureDefaults) {
  const AllocationPolicy policy = LoadOne(R"(
metadata: {name: nginx-tls-keys}
spec:
  selector: {matchBinaries: [/usr/sbin/nginx]}
  rules:
    - match: {preset: openssl-private-keys}
)");
  EXPECT_EQ(policy.metadata.name, "nginx-tls-keys");
  EXPECT_EQ(policy.spec.mode, abi::Mode::kEnforce);
  EXPECT_EQ(policy.spec.priority, 0);
  EXPECT_THAT(policy.spec.selector.match_binaries, ElementsAre("/usr/sbin/nginx"));
  ASSERT_EQ(policy.spec.rules.size(), 1u);
  EXPECT_EQ(policy.spec.rules[0].arena, 0u);
  EXPECT_EQ(policy.spec.rules[0].match.size.min, 0u);
  EXPECT_EQ(policy.spec.rules[0].match.size.max, UINT64_MAX);
  EXPECT_THAT(policy.spec.rules[0].functions, Contains("PEM_read_bio_PrivateKey"));
  ASSERT_EQ(policy.spec.arenas.size(), 1u);
  const Arena& arena = policy.spec.arenas[0];
  EXPECT_EQ(arena.name, "default");
  EXPECT_EQ(arena.capacity_bytes, 1u << 20);
  EXPECT_TRUE(arena.canary);
  EXPECT_EQ(arena.core_dump, CoreDump::kExclude);
  EXPECT_EQ(arena.on_lock_failure, abi::OnLockFailure::kAllocateUnlocked);
  EXPECT_EQ(arena.on_capacity_exhausted, abi::OnCapacityExhausted::kAllocateUnlocked);
  EXPECT_EQ(arena.on_fork, abi::OnFork::kRelock);
  EXPECT_THAT(arena.backing, ElementsAre(abi::Backing::kLockedAnonymous));
  EXPECT_FALSE(MayGrow(policy));
}

TEST(Schema, EveryFieldIsRead) {
  const AllocationPolicy policy = LoadOne(R"(
metadata:
  name: all
  labels: {team: edge, tier: "1"}
spec:
  mode: Audit
  priority: -7
  selector:
    matchBinaries: [/bin/a, "/opt/b c/d"]
  rules:
    - name: small
      match: {during: [f, g, f], size: {min: 16, max: 64Ki}}
      place: {arena: second}
    - match: {preset: openssl-private-keys}
  arenas:
    - name: first
      capacity: 64Ki
    - name: second
      capacity: 8192
      guardPages: true
      canary: false
      wipeOnFree: true
      coreDump: Include
      onFork: Wipe
      onLockFailure: Fail
      onCapacityExhausted: Fail
      backing: [SecretMemory]
    - {name: third, onFork: Exclude, onCapacityExhausted: Grow}
)");
  EXPECT_EQ(policy.metadata.labels.at("tier"), "1");
  EXPECT_EQ(policy.spec.mode, abi::Mode::kAudit);
  EXPECT_EQ(policy.spec.priority, -7);
  EXPECT_THAT(policy.spec.selector.match_binaries, ElementsAre("/bin/a", "/opt/b c/d"));
  ASSERT_EQ(policy.spec.rules.size(), 2u);
  EXPECT_EQ(policy.spec.rules[0].name, "small");
  EXPECT_THAT(policy.spec.rules[0].functions, ElementsAre("f", "g"));
  EXPECT_EQ(policy.spec.rules[0].match.size.min, 16u);
  EXPECT_EQ(policy.spec.rules[0].match.size.max, 65536u);
  EXPECT_EQ(policy.spec.rules[0].arena, 1u);
  EXPECT_EQ(policy.spec.rules[1].arena, 0u);
  ASSERT_EQ(policy.spec.arenas.size(), 3u);
  EXPECT_EQ(TotalCapacity(policy), 65536u + 8192u + (1u << 20));
  EXPECT_TRUE(MayGrow(policy));
  const Arena& arena = policy.spec.arenas[1];
  EXPECT_FALSE(arena.canary);
  EXPECT_EQ(arena.core_dump, CoreDump::kInclude);
  EXPECT_EQ(arena.on_lock_failure, abi::OnLockFailure::kFail);
  EXPECT_EQ(arena.on_capacity_exhausted, abi::OnCapacityExhausted::kFail);
  EXPECT_EQ(arena.on_fork, abi::OnFork::kWipe);
  EXPECT_THAT(arena.backing, ElementsAre(abi::Backing::kSecretMemory));
  EXPECT_EQ(policy.spec.arenas[2].on_fork, abi::OnFork::kExclude);
  EXPECT_EQ(policy.spec.arenas[2].on_capacity_exhausted, abi::OnCapacityExhausted::kGrow);
}

TEST(Schema, ThePolicyTellsWhatIsLockedAtStart) {
  const auto locked = [](const std::string& spec) {
    return LockedAtStart(LoadOne("metadata: {name: p}\nspec: {" + spec + "}\n"));
  };
  EXPECT_EQ(locked("rules: [{match: {during: [f]}}]"), 1u << 20);
  EXPECT_EQ(locked("rules: [{match: {during: [f]}}], pin: {stacks: 64Ki}"), (1u << 20) + (64u << 10));
  EXPECT_EQ(locked("pin: {stacks: 64Ki}"), 64u << 10);
  EXPECT_EQ(locked("pin: {data: [m]}"), 0u);
  EXPECT_EQ(locked("arenas: [{name: a, capacity: 8Ki}], pin: {data: [m]}"), 8u << 10);
}

TEST(Schema, ARuleForAllHasNoFunctions) {
  const AllocationPolicy policy =
      LoadOne("metadata: {name: all}\nspec: {rules: [{match: {all: true, size: {max: 4Ki}}}]}\n");
  ASSERT_EQ(policy.spec.rules.size(), 1u);
  EXPECT_TRUE(policy.spec.rules[0].match.IsAll());
  EXPECT_EQ(policy.spec.rules[0].match.size.max, 4096u);
  EXPECT_THAT(policy.spec.rules[0].functions, IsEmpty());
}

TEST(Schema, OneFileMayHoldSeveralDocuments) {
  const PolicySet set =
      LoadValid(std::string("---\n") + kHead +
                "metadata: {name: a}\nspec: {rules: [{match: {preset: mine}}]}\n"
                "---\n# nothing\n---\n"
                "apiVersion: pagewarden/v1alpha1\nkind: Preset\n"
                "metadata: {name: mine}\nspec: {during: [load_key]}\n---\n" +
                kHead + "metadata: {name: b}\nspec: {rules: [{match: {during: [x]}}]}\n");
  ASSERT_EQ(set.policies.size(), 2u);
  EXPECT_THAT(set.policies[0].spec.rules[0].functions, ElementsAre("load_key"));
  EXPECT_THAT(set.policies[0].spec.selector.match_binaries, IsEmpty());
  EXPECT_TRUE(Selects(set.policies[0], "/any/thing"));
}

}  // namespace
}  // namespace pagewarden
