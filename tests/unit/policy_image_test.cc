// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "agent/policy/image.h"
#include "agent/policy/image_view.h"
#include "preload/abi/checksum.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

std::vector<AllocationPolicy> TwoPolicies() {
  return LoadValid(R"(
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: low}
spec:
  priority: -1
  rules:
    - match: {during: [f, g]}
---
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: high}
spec:
  mode: Audit
  priority: 5
  selector: {matchBinaries: [/bin/a, /bin/b]}
  rules:
    - name: sized
      match: {during: [h, g], size: {min: 16, max: 64Ki}}
      place: {arena: two}
    - match: {during: [f]}
    - match: {all: true, size: {max: 32}}
  arenas:
    - {name: one, capacity: 64Ki}
    - name: two
      canary: false
      onFork: Exclude
      onLockFailure: Fail
      onCapacityExhausted: Grow
      backing: [SecretMemory, LockedAnonymous]
)")
      .policies;
}

void Reseal(std::string& image) {
  const uint64_t checksum =
      abi::Checksum(reinterpret_cast<const unsigned char*>(image.data()) + abi::kChecksumStart,
                    image.size() - abi::kChecksumStart);
  memcpy(image.data() + offsetof(abi::PolicyImageHeader, checksum), &checksum, sizeof(checksum));
}

TEST(PolicyImage, FunctionTableHoldsEachFunctionOnce) {
  EXPECT_THAT(FunctionTable(TwoPolicies()), ElementsAre("f", "g", "h", "dlsym", "dlvsym"));
}

TEST(PolicyImage, FunctionTableHoldsWhatTheFormsNeedAndNoMore) {
  const auto functions = [](const std::string& spec) {
    return FunctionTable(LoadValid(absl::StrCat(R"(apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: p}
spec:
  selector: {matchBinaries: [/bin/a]}
)",
                                                spec))
                             .policies);
  };
  EXPECT_THAT(functions("  rules: [{match: {all: true}}]"), IsEmpty());
  EXPECT_THAT(functions("  rules: [{match: {callers: [{module: m}]}}]"), IsEmpty());
  EXPECT_THAT(functions("  rules: [{match: {readFrom: [/k]}}]"), IsSupersetOf({"fopen", "dlsym"}));
  EXPECT_THAT(functions("  rules: [{match: {all: true, threads: [t]}}]"),
              ElementsAre("pthread_setname_np", "prctl", "dlsym", "dlvsym"));
  EXPECT_THAT(functions("  pin: {environment: true}"), ElementsAre("pthread_getattr_np"));
  EXPECT_THAT(functions("  pin: {data: [m]}"), ElementsAre("dlsym", "dlvsym", "prctl", "syscall"));
  EXPECT_THAT(functions("  pin: {mappings: [m]}"), IsSupersetOf({"mmap", "dlsym"}));
  EXPECT_THAT(functions("  pin: {stacks: 64Ki}"),
              ElementsAre("pthread_create", "pthread_getattr_np", "prctl", "syscall"));
  EXPECT_THAT(functions("  pin: {process: true}"), Contains("setuid"));
}

TEST(PolicyImage, HoldsEveryForm) {
  const std::vector<AllocationPolicy> policies = LoadValid(R"(apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: p}
spec:
  selector: {matchBinaries: [/bin/a], secureExec: Allow}
  rules:
    - match: {readFrom: [/etc/*.key], threads: [worker*, main]}
    - match: {callers: [{module: 'libx.so*', functions: [key_*, pw_*]}, {module: app}]}
    - name: first
      priority: 5
      match: {stack: [[00ff+0x10, 00ff+0x20], [0102+0x30]]}
  transparent: [{module: 'libmine.so*'}]
  pin: {process: true, mappings: [m1, m2], data: [d], stacks: 256Ki, environment: true,
        scrubStack: 16Ki}
)")
                                                     .policies;
  const std::string image = *CompilePolicyImage(policies);
  ASSERT_TRUE(ValidatePolicyImage(image).ok());
  const ImageView view(image);
  const abi::PolicyImageHeader& header = view.header();
  const auto policy = *view.At<abi::PolicyEntry>(header.policies, 0);
  EXPECT_EQ(policy.flags, abi::kPolicySecureExec);
  EXPECT_EQ(policy.transparent.count, 1u);
  EXPECT_EQ(policy.pin.flags, abi::kPinProcess | abi::kPinEnvironment);
  EXPECT_EQ(policy.pin.stack_bytes, 256u << 10);
  EXPECT_EQ(policy.pin.scrub_bytes, 16u << 10);
  EXPECT_EQ(policy.pin.mappings.count, 2u);
  EXPECT_EQ(policy.pin.data.count, 1u);

  const auto stack = *view.At<abi::RuleEntry>(header.rules, 0);  // by its priority
  EXPECT_EQ(*view.At(stack.name), "first");
  EXPECT_EQ(stack.form, abi::RuleForm::kStack);
  ASSERT_EQ(stack.operands.count, 2u);
  const auto signature = *view.At<abi::SignatureEntry>(header.signatures, stack.operands.first);
  EXPECT_EQ(signature.depth, 2u);
  EXPECT_EQ(signature.frames[1].offset, 0x20u);
  EXPECT_EQ(signature.frames[0].module, signature.frames[1].module);
  const auto id = *view.At<abi::BuildId>(header.build_ids, signature.frames[0].module);
  EXPECT_EQ(id.size, 2u);
  EXPECT_EQ(id.bytes[1], 0xff);

  const auto files = *view.At<abi::RuleEntry>(header.rules, 1);
  EXPECT_EQ(*view.At(files.name), "rule-1");  // by its place in the file
  EXPECT_EQ(files.form, abi::RuleForm::kReadFrom);
  EXPECT_EQ(files.threads.count, 2u);
  EXPECT_EQ(*view.At(*view.At<abi::Text>(header.patterns, files.operands.first)), "/etc/*.key");
  const auto callers = *view.At<abi::RuleEntry>(header.rules, 2);
  EXPECT_EQ(callers.form, abi::RuleForm::kCallers);
  ASSERT_EQ(callers.operands.count, 3u);
  const auto last = *view.At<abi::CallerEntry>(header.callers, callers.operands.first + 2);
  EXPECT_EQ(*view.At(last.module), "app");
  EXPECT_EQ(*view.At(last.function), "");
}

TEST(PolicyImage, HoldsWhatThePoliciesSay) {
  const absl::StatusOr<std::string> image = CompilePolicyImage(TwoPolicies());
  ASSERT_TRUE(image.ok());
  ASSERT_EQ(ValidatePolicyImage(*image), absl::OkStatus());
  const ImageView view(*image);
  const abi::PolicyImageHeader& header = view.header();
  EXPECT_EQ(header.image_bytes, image->size());
  ASSERT_EQ(header.policies.count, 2u);

  const auto high = *view.At<abi::PolicyEntry>(header.policies, 0);
  EXPECT_EQ(*view.At(high.name), "high");
  EXPECT_EQ(high.priority, 5);
  EXPECT_EQ(high.mode, abi::Mode::kAudit);
  ASSERT_EQ(high.selector.binaries.count, 2u);
  EXPECT_EQ(*view.At(*view.At<abi::Text>(header.binaries, high.selector.binaries.first + 1)), "/bin/b");
  ASSERT_EQ(high.arenas.count, 2u);
  const auto one = *view.At<abi::ArenaEntry>(header.arenas, high.arenas.first);
  EXPECT_EQ(one.capacity_bytes, 65536u);
  EXPECT_EQ(one.flags, abi::kArenaCanary | abi::kArenaExcludeFromCoreDump);
  EXPECT_EQ(one.on_fork, abi::OnFork::kRelock);
  EXPECT_THAT(one.backing, ElementsAre(abi::Backing::kLockedAnonymous, abi::Backing::kNone));
  const auto two = *view.At<abi::ArenaEntry>(header.arenas, high.arenas.first + 1);
  EXPECT_EQ(*view.At(two.name), "two");
  EXPECT_EQ(two.flags, abi::kArenaExcludeFromCoreDump);
  EXPECT_EQ(two.on_fork, abi::OnFork::kExclude);
  EXPECT_EQ(two.on_lock_failure, abi::OnLockFailure::kFail);
  EXPECT_EQ(two.on_capacity_exhausted, abi::OnCapacityExhausted::kGrow);
  EXPECT_THAT(two.backing,
              ElementsAre(abi::Backing::kSecretMemory, abi::Backing::kLockedAnonymous));

  ASSERT_EQ(high.rules.count, 3u);
  const auto sized = *view.At<abi::RuleEntry>(header.rules, high.rules.first);
  EXPECT_EQ(*view.At(sized.name), "sized");
  EXPECT_EQ(sized.form, abi::RuleForm::kDuring);
  EXPECT_EQ(sized.arena, high.arenas.first + 1);
  EXPECT_EQ(sized.min_bytes, 16u);
  EXPECT_EQ(sized.max_bytes, 65536u);
  ASSERT_EQ(sized.operands.count, 2u);
  const uint32_t slot = *view.At<uint32_t>(header.rule_slots, sized.operands.first);
  EXPECT_EQ(*view.At(*view.At<abi::Text>(header.functions, slot)), "h");
  EXPECT_EQ(*view.At(view.At<abi::RuleEntry>(header.rules, high.rules.first + 1)->name), "rule-2");
  const auto all = *view.At<abi::RuleEntry>(header.rules, high.rules.first + 2);
  EXPECT_EQ(all.form, abi::RuleForm::kAll);
  EXPECT_EQ(all.max_bytes, 32u);
  EXPECT_EQ(all.operands.count, 0u);

  const auto low = *view.At<abi::PolicyEntry>(header.policies, 1);
  EXPECT_EQ(*view.At(low.name), "low");
  EXPECT_EQ(low.priority, -1);
  EXPECT_EQ(low.selector.binaries.count, 0u);
}

TEST(PolicyImage, IsTheSameForTheSamePolicies) {
  EXPECT_EQ(*CompilePolicyImage(TwoPolicies()), *CompilePolicyImage(TwoPolicies()));
}

TEST(PolicyImage, TruncationAndEveryFlippedByteAreFound) {
  const std::string image = *CompilePolicyImage(TwoPolicies());
  for (size_t bytes = 0; bytes < image.size(); ++bytes) {
    EXPECT_FALSE(ValidatePolicyImage(absl::string_view(image).substr(0, bytes)).ok()) << bytes;
  }
  constexpr size_t kGeneration = offsetof(abi::PolicyImageHeader, generation);
  for (size_t i = 0; i < image.size(); ++i) {
    std::string damaged = image;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x41);
    const bool is_generation = i >= kGeneration && i < kGeneration + sizeof(uint32_t);
    EXPECT_EQ(ValidatePolicyImage(damaged).ok(), is_generation) << i;
  }
}

TEST(PolicyImage, ForgedReferencesAreRefused) {
  const std::string image = *CompilePolicyImage(TwoPolicies());
  abi::PolicyImageHeader header;
  memcpy(&header, image.data(), sizeof(header));
  const auto with = [&](size_t offset, uint32_t value) {
    std::string forged = image;
    memcpy(forged.data() + offset, &value, sizeof(value));
    Reseal(forged);
    return ValidatePolicyImage(forged);
  };
  EXPECT_FALSE(with(offsetof(abi::PolicyImageHeader, policies.count), 0x40000000).ok());
  EXPECT_FALSE(with(offsetof(abi::PolicyImageHeader, pool.offset), 0xfffffff8).ok());
  EXPECT_FALSE(with(offsetof(abi::PolicyImageHeader, arenas.offset), 4).ok());
  const size_t policy = header.policies.offset;
  EXPECT_FALSE(with(policy + offsetof(abi::PolicyEntry, name.offset), 0xffffffff).ok());
  EXPECT_FALSE(with(policy + offsetof(abi::PolicyEntry, mode), 3).ok());
  EXPECT_FALSE(with(policy + offsetof(abi::PolicyEntry, arenas.count), 0).ok());
  EXPECT_FALSE(with(policy + offsetof(abi::PolicyEntry, rules.first), 0xffffffff).ok());
  const size_t rule = header.rules.offset;
  EXPECT_FALSE(with(rule + offsetof(abi::RuleEntry, arena), 99).ok());
  EXPECT_FALSE(with(rule + offsetof(abi::RuleEntry, form), 0).ok());
  EXPECT_FALSE(with(rule + offsetof(abi::RuleEntry, form), 2).ok());  // all, with slots
  EXPECT_FALSE(with(rule + offsetof(abi::RuleEntry, form), 6).ok());
  EXPECT_FALSE(with(rule + offsetof(abi::RuleEntry, threads.count), 1).ok());
  EXPECT_FALSE(with(policy + offsetof(abi::PolicyEntry, flags), 2).ok());
  EXPECT_FALSE(with(policy + offsetof(abi::PolicyEntry, pin.flags), 4).ok());
  EXPECT_FALSE(with(policy + offsetof(abi::PolicyEntry, pin.stack_bytes), 1).ok());
  EXPECT_FALSE(with(policy + offsetof(abi::PolicyEntry, pin.data.count), 1).ok());
  EXPECT_FALSE(with(policy + offsetof(abi::PolicyEntry, transparent.first), 0x7fffffff).ok());
  EXPECT_FALSE(with(rule + offsetof(abi::RuleEntry, operands.count), 0).ok());  // during, without
  const size_t all_rule = rule + 2 * sizeof(abi::RuleEntry);
  EXPECT_FALSE(with(all_rule + offsetof(abi::RuleEntry, operands.count), 1).ok());
  EXPECT_FALSE(with(all_rule + offsetof(abi::RuleEntry, form), 1).ok());
  EXPECT_FALSE(with(header.rule_slots.offset, header.functions.count).ok());
  EXPECT_FALSE(with(header.arenas.offset + offsetof(abi::ArenaEntry, flags), 16).ok());
  EXPECT_FALSE(with(header.arenas.offset + offsetof(abi::ArenaEntry, capacity_bytes), 4095).ok());
  EXPECT_FALSE(with(header.arenas.offset + offsetof(abi::ArenaEntry, on_fork), 3).ok());
  EXPECT_FALSE(with(header.arenas.offset + offsetof(abi::ArenaEntry, on_lock_failure), 2).ok());
  const size_t exhausted = offsetof(abi::ArenaEntry, on_capacity_exhausted);
  EXPECT_FALSE(with(header.arenas.offset + exhausted, 3).ok());
  const size_t backing = header.arenas.offset + offsetof(abi::ArenaEntry, backing);
  EXPECT_TRUE(with(backing, 0x0002).ok());
  EXPECT_TRUE(with(backing, 0x0201).ok());
  EXPECT_FALSE(with(backing, 0x0000).ok());
  EXPECT_FALSE(with(backing, 0x0100).ok());
  EXPECT_FALSE(with(backing, 0x0101).ok());
  EXPECT_FALSE(with(backing, 0x0003).ok());
  EXPECT_FALSE(with(backing, 0x0301).ok());
}

TEST(PolicyImage, NoForgeryLeadsOutsideTheImage) {
  const std::string image = *CompilePolicyImage(TwoPolicies());
  std::mt19937 random(20);  // fixed: a failure must be found again
  for (int i = 0; i < 20000; ++i) {
    // A copy of its own size: a sanitizer sees any read past the end.
    std::string forged(image);
    for (int change = 0; change < 3; ++change) {
      forged[random() % forged.size()] = static_cast<char>(random());
    }
    Reseal(forged);
    ValidatePolicyImage(forged).IgnoreError();
  }
}

}  // namespace
}  // namespace pagewarden
