// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstring>

#include "agent/learn/learned_policy.h"
#include "agent/learn/signatures.h"
#include "agent/policy/load.h"
#include "agent/policy/resolve.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint64_t kAllocations = 1'000'000;

recording::Stack Stack(const std::vector<uint64_t>& offsets, uint64_t allocations,
                       uint64_t bytes = 64) {
  recording::Stack stack = {};
  stack.state = recording::State::kReady;
  for (const uint64_t offset : offsets) stack.frames[stack.depth++] = {offset, 0, 0};
  stack.allocations[recording::SizeClass(bytes)] = allocations;
  return stack;
}

StackEvidence Copies(uint32_t stack, uint64_t live, uint64_t bytes = 64) {
  return {stack, live, 0, uint64_t{1} << recording::SizeClass(bytes)};
}

std::vector<uint64_t> Offsets(const LearnedSignature& signature) {
  std::vector<uint64_t> offsets;
  for (const recording::Frame& frame : signature.frames) offsets.push_back(frame.offset);
  return offsets;
}

TEST(SignaturesTest, TakesTheWholeStackWhereItsBeginningIsCommon) {
  const auto choice = ChooseSignatures(
      {Copies(0, 3)}, {Stack({1, 2, 3, 4}, 10), Stack({1, 2, 3, 5}, 900'000)}, kAllocations, 0.01);
  ASSERT_THAT(choice.chosen, SizeIs(1));
  EXPECT_THAT(Offsets(choice.chosen[0]), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(choice.chosen[0].moved, 10u);
  EXPECT_EQ(choice.chosen[0].Copies(), 3u);
}

TEST(SignaturesTest, ShortensWhatStaysPrecise) {
  const auto choice = ChooseSignatures(
      {Copies(0, 1), Copies(1, 2)},
      {Stack({1, 2, 3, 4}, 10), Stack({1, 2, 3, 5}, 20), Stack({1, 9, 3, 4}, 500'000)},
      kAllocations, 0.01);
  ASSERT_THAT(choice.chosen, SizeIs(1));
  EXPECT_THAT(Offsets(choice.chosen[0]), ElementsAre(1, 2));
  EXPECT_EQ(choice.chosen[0].moved, 30u);
  EXPECT_EQ(choice.chosen[0].Copies(), 3u) << "one for both stacks";
}

TEST(SignaturesTest, SpendsTheBudgetWhereItBuysMost) {
  const auto choice = ChooseSignatures({Copies(0, 1), Copies(1, 100)},
                                       {Stack({1}, 8'000), Stack({2}, 9'000)}, kAllocations, 0.01);
  ASSERT_THAT(choice.chosen, SizeIs(1));
  EXPECT_THAT(Offsets(choice.chosen[0]), ElementsAre(2));
  ASSERT_THAT(choice.too_common, SizeIs(1));
  EXPECT_EQ(choice.too_common[0].moved, 8'000u);
}

TEST(SignaturesTest, NarrowsTheSizesOfWhatIsTooCommon) {
  recording::Stack common = Stack({1}, 100, 40);
  common.allocations[recording::SizeClass(24)] = 500'000;
  const auto choice = ChooseSignatures({Copies(0, 5, 40)}, {common}, kAllocations, 0.01);
  ASSERT_THAT(choice.chosen, SizeIs(1));
  EXPECT_EQ(choice.chosen[0].min_bytes, 33u);
  EXPECT_EQ(choice.chosen[0].max_bytes, 64u);
  EXPECT_EQ(choice.chosen[0].moved, 100u);
  EXPECT_THAT(choice.too_common, IsEmpty());
}

TEST(SizeClassTest, HoldsWhatItSays) {
  EXPECT_EQ(recording::SizeClass(0), 0u);
  EXPECT_EQ(recording::SizeClass(1), 0u);
  EXPECT_EQ(recording::SizeClass(33), 6u);
  EXPECT_EQ(recording::SizeClass(64), 6u);
  EXPECT_EQ(recording::SizeClass(65), 7u);
  EXPECT_EQ(recording::SizeClass(UINT64_MAX), recording::kSizeClasses - 1);
}

// What is written must be a policy, and mean what was learned.
TEST(LearnedPolicyTest, IsReadBackAsItWasMeant) {
  LearnedPolicy policy;
  policy.name = PolicyNameFor("/opt/My Server_2");
  policy.binaries = {"/opt/My Server_2"};
  policy.command = "server --flag\n# not a comment";
  policy.presets = {{"keys", 7}};
  policy.signatures.resize(2);
  policy.signatures[0].frames = {{0x10, 0, 0}, {0x20, 0, 0}};
  policy.signatures[1].frames = {{0x30, 0, 0}};
  policy.signatures[1].min_bytes = 33;
  policy.signatures[1].max_bytes = 64;
  policy.modules.resize(1);
  policy.modules[0].build_id_bytes = 20;
  memset(policy.modules[0].build_id, 0xab, 20);
  policy.pinned_data = {{"odd \"name\"", 1}};
  policy.on_stacks = 1;
  policy.in_environment = 2;
  policy.capacity_bytes = 128 << 10;

  PolicySet set;
  Preset preset;
  preset.metadata.name = "keys";
  preset.spec.during = {"load_key"};
  set.presets.push_back(preset);
  Diagnostics diagnostics;
  const std::string yaml = ToYaml(policy);
  LoadSource(std::make_shared<Source>("learned", yaml), set, diagnostics);
  ResolveReferences(set, diagnostics);
  ASSERT_TRUE(diagnostics.empty()) << diagnostics.Render() << yaml;
  const AllocationPolicy& read = set.policies.front();
  EXPECT_EQ(read.metadata.name, "learned-my-server-2");
  EXPECT_THAT(read.spec.selector.match_binaries, ElementsAre("/opt/My Server_2"));
  ASSERT_THAT(read.spec.rules, SizeIs(3));
  EXPECT_THAT(read.spec.rules[0].functions, ElementsAre("load_key"));
  ASSERT_THAT(read.spec.rules[1].match.stack, SizeIs(1));
  EXPECT_EQ(read.spec.rules[1].match.stack[0][1].offset, 0x20u);
  EXPECT_EQ(read.spec.rules[1].match.stack[0][1].build_id, std::string(20, '\xab'));
  EXPECT_EQ(read.spec.rules[2].match.size.min, 33u);
  EXPECT_EQ(read.spec.rules[2].match.size.max, 64u);
  EXPECT_THAT(read.spec.pin.data, ElementsAre("odd \"name\""));
  EXPECT_TRUE(read.spec.pin.environment);
  EXPECT_GT(read.spec.pin.scrub_bytes, 0u);
  EXPECT_EQ(read.spec.arenas[0].capacity_bytes, 128u << 10);
  EXPECT_THAT(yaml, HasSubstr("Fenced 7 allocations"));
}

}  // namespace
}  // namespace pagewarden
