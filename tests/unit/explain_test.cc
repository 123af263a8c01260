// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "agent/explain/explanation.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

LoadedModule Module(const std::string& path, const std::vector<std::string>& functions,
                    const std::vector<std::string>& slots, const std::string& build_id = "") {
  LoadedModule module;
  module.path = path;
  module.elf.build_id = build_id;
  for (const std::string& name : functions) module.elf.functions[name] = {0x1000, 16};
  module.elf.slots.insert(slots.begin(), slots.end());
  return module;
}

Closure Server() {
  Closure closure;
  closure.modules = {
      Module("/usr/sbin/server", {"own_function"}, {"used", "plugin_call"}, "server-id"),
      Module("/usr/lib/libopen.so.3", {"used", "unused", "inner"}, {"inner"}),
      Module("/usr/lib/libshut.so.20", {"hidden"}, {}),
      Module("/usr/lib/libplug.so", {"plugin_call"}, {"own_function"})};
  return closure;
}

AllocationPolicy PolicyOf(Rule rule) {
  AllocationPolicy policy;
  policy.spec.rules.push_back(std::move(rule));
  return policy;
}

RuleExplanation ExplainDuring(const std::vector<std::string>& functions,
                              const std::vector<std::string>& libraries = {}) {
  Rule rule;
  rule.functions = functions;
  Preset preset;
  preset.metadata.name = "keys";
  preset.spec.libraries = libraries;
  rule.match.preset.emplace().name = "keys";
  return ExplainRules(PolicyOf(rule), {preset}, Server()).front();
}

TEST(ExplainTest, TellsWhereAFunctionBinds) {
  const RuleExplanation rule = ExplainDuring({"used", "inner"});
  EXPECT_EQ(rule.name, "keys");
  EXPECT_EQ(rule.form, "preset keys");
  EXPECT_EQ(rule.parts[0].effect, Effect::kBinds);
  EXPECT_THAT(rule.parts[0].modules, ElementsAre("server"));
  EXPECT_THAT(rule.parts[1].modules, ElementsAre("libopen.so.3"));
  EXPECT_FALSE(rule.CannotBind());
}

TEST(ExplainTest, TellsWhyAFunctionCannotBind) {
  const RuleExplanation rule = ExplainDuring({"unused", "hidden", "missing"}, {"libopen.so*"});
  EXPECT_EQ(rule.parts[0].effect, Effect::kUnused);
  EXPECT_EQ(rule.parts[1].effect, Effect::kCannotBind);
  EXPECT_THAT(rule.parts[1].why, HasSubstr("libshut.so.20"));
  EXPECT_THAT(rule.parts[1].why, HasSubstr("directly"));
  EXPECT_EQ(rule.parts[2].why, "libopen.so.3 does not export it");
  EXPECT_TRUE(rule.CannotBind());
}

TEST(ExplainTest, TellsThatALibraryIsNotLoaded) {
  EXPECT_EQ(ExplainDuring({"missing"}, {"libgone.so.1"}).parts[0].why,
            "libgone.so.1 is not loaded at start");
}

TEST(ExplainTest, SuggestsToLearnWhatTheExecutableDefines) {
  const RuleExplanation rule = ExplainDuring({"own_function"});
  EXPECT_EQ(rule.parts[0].effect, Effect::kPartly);
  EXPECT_THAT(rule.parts[0].modules, ElementsAre("libplug.so"));
  EXPECT_THAT(rule.note, HasSubstr("pagewarden learn"));
}

TEST(ExplainTest, ComparesCallersAndPinsWithModules) {
  Rule rule;
  rule.match.callers = {
      {{}, "libopen.so*", {"us*"}}, {{}, "libopen.so*", {"none*"}}, {{}, "libgone*", {}}};
  AllocationPolicy policy = PolicyOf(rule);
  policy.spec.pin.data = {"server", "libgone*"};
  const auto rules = ExplainRules(policy, {}, Server());
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].name, "rule-1");
  EXPECT_THAT(rules[0].parts[0].modules, ElementsAre("libopen.so.3"));
  EXPECT_EQ(rules[0].parts[1].why, "the module exports no such function");
  EXPECT_EQ(rules[0].parts[2].why, "no loaded module has such a name");
  EXPECT_EQ(rules[1].form, "pin.data");
  EXPECT_EQ(rules[1].Count(Effect::kBinds), 1u);
}

TEST(ExplainTest, KnowsModulesByTheNameTheyAreLoadedBy) {
  Closure closure;
  closure.modules = {Module("/usr/lib/libversioned.so.20.4.1", {}, {})};
  closure.modules[0].elf.soname = "libversioned.so.20";
  AllocationPolicy policy;
  policy.spec.pin.mappings = {"libversioned.so.20"};
  EXPECT_EQ(ExplainRules(policy, {}, closure)[0].Count(Effect::kBinds), 1u);
}

TEST(ExplainTest, NoticesUpdatedModules) {
  Rule rule;
  rule.match.stack = {{{"server-id", 0x10}}, {{"server-id", 0x10}, {"old-id", 0x20}}};
  const auto rules = ExplainRules(PolicyOf(rule), {}, Server());
  EXPECT_EQ(rules[0].parts[0].effect, Effect::kBinds);
  EXPECT_THAT(rules[0].parts[0].modules, ElementsAre("server"));
  EXPECT_EQ(rules[0].parts[1].effect, Effect::kCannotBind);
  EXPECT_THAT(rules[0].parts[1].why, HasSubstr("updated"));
  EXPECT_THAT(rules[0].parts[1].modules, IsEmpty());
}

}  // namespace
}  // namespace pagewarden
