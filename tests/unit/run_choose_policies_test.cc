// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "agent/run/choose_policies.h"
#include "agent/run/environment.h"
#include "agent/run/locations.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

PolicyChoice WithCap(std::vector<std::string> paths, std::optional<abi::Mode> max) {
  PolicyChoice choice;
  choice.paths = std::move(paths);
  choice.caps.max = max;
  return choice;
}

class ChoosePoliciesTest : public ::testing::Test {
 protected:
  // A copy that is trusted whatever the umask of the checkout.
  void SetUp() override {
    for (const char* name : {"nginx.yaml", "presets/openssl.yaml"}) {
      directory_.Write(std::string("shipped/") + name, ReadFile(ShippedPolicies() + "/" + name));
    }
  }

  std::vector<AllocationPolicy> Choose(const PolicyChoice& choice, const std::string& executable) {
    diagnostics_ = Diagnostics();
    return ChoosePolicies(choice, {executable, executable, false}, directory_.path() + "/shipped",
                          diagnostics_);
  }

  std::string WritePolicy(const std::string& name, const std::string& spec) {
    return directory_.Write(name + ".yaml",
                            "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\n"
                            "metadata: {name: " +
                                name + "}\nspec: " + spec + "\n");
  }

  TempDirectory directory_;
  Diagnostics diagnostics_;
};

TEST_F(ChoosePoliciesTest, TakesTheShippedPolicyOfTheProgram) {
  const std::vector<AllocationPolicy> policies = Choose({}, "/usr/sbin/nginx");
  ASSERT_EQ(policies.size(), 1u) << diagnostics_.Render();
  EXPECT_EQ(policies[0].metadata.name, "nginx-tls-keys");
  EXPECT_EQ(policies[0].spec.mode, abi::Mode::kEnforce);
}

TEST_F(ChoosePoliciesTest, TakesAllPresetsForOtherPrograms) {
  const std::vector<AllocationPolicy> policies = Choose({}, "/usr/bin/curl");
  ASSERT_EQ(policies.size(), 1u) << diagnostics_.Render();
  EXPECT_EQ(policies[0].metadata.name, "default-presets");
  EXPECT_TRUE(Selects(policies[0], "/any/thing"));
  ASSERT_EQ(policies[0].spec.rules.size(), 1u);
  EXPECT_THAT(policies[0].spec.rules[0].functions, Contains("EVP_PKEY_get1_RSA"));
  EXPECT_EQ(policies[0].spec.arenas.size(), 1u);
}

TEST_F(ChoosePoliciesTest, TakesGivenPoliciesInsteadAndKnowsTheShippedPresets) {
  const std::string path =
      WritePolicy("mine", "{rules: [{match: {preset: openssl-private-keys}}]}");
  const std::vector<AllocationPolicy> policies = Choose(WithCap({path}, {}), "/usr/sbin/nginx");
  ASSERT_EQ(policies.size(), 1u) << diagnostics_.Render();
  EXPECT_EQ(policies[0].metadata.name, "mine");
}

TEST_F(ChoosePoliciesTest, ModeIsOnlyEverLowered) {
  const std::string audit = WritePolicy("a", "{mode: Audit, rules: [{match: {during: [f]}}]}");
  const std::string enforce = WritePolicy("b", "{rules: [{match: {during: [f]}}]}");
  const auto modes = [&](std::optional<abi::Mode> highest) {
    std::vector<abi::Mode> result;
    for (const auto& policy : Choose(WithCap({audit, enforce}, highest), "/bin/x")) {
      result.push_back(policy.spec.mode);
    }
    return result;
  };
  EXPECT_THAT(modes(std::nullopt), ElementsAre(abi::Mode::kAudit, abi::Mode::kEnforce));
  EXPECT_THAT(modes(abi::Mode::kEnforce), ElementsAre(abi::Mode::kAudit, abi::Mode::kEnforce));
  EXPECT_THAT(modes(abi::Mode::kAudit), ElementsAre(abi::Mode::kAudit, abi::Mode::kAudit));
  EXPECT_THAT(modes(abi::Mode::kDisabled), ElementsAre(abi::Mode::kDisabled, abi::Mode::kDisabled));
}

TEST_F(ChoosePoliciesTest, SelectsThroughLinks) {
  directory_.Write("real", "");
  const std::string link = directory_.path() + "/link";
  std::filesystem::create_symlink(directory_.path() + "/real", link);
  const std::string path = WritePolicy(
      "a", "{selector: {matchBinaries: [\"" + link + "\"]}, rules: [{match: {during: [f]}}]}");
  const std::string real = std::filesystem::canonical(link).string();
  const std::vector<AllocationPolicy> policies = Choose(WithCap({path}, {}), real);
  ASSERT_EQ(policies.size(), 1u) << diagnostics_.Render();
  EXPECT_NE(FindPolicyFor(real, policies), nullptr);
  EXPECT_EQ(FindPolicyFor("/bin/other", policies), nullptr);
}

TEST_F(ChoosePoliciesTest, TheHighestPriorityWinsThenTheName) {
  const std::string spec = "{priority: 1, rules: [{match: {during: [f]}}]}";
  const std::vector<AllocationPolicy> policies =
      Choose(WithCap({WritePolicy("c", "{rules: [{match: {during: [f]}}]}"), WritePolicy("b", spec),
                      WritePolicy("a", spec)},
                     {}),
             "/bin/x");
  ASSERT_EQ(policies.size(), 3u) << diagnostics_.Render();
  EXPECT_EQ(FindPolicyFor("/bin/x", policies)->metadata.name, "a");
}

TEST_F(ChoosePoliciesTest, DropInsGoBeforeTheShippedPolicyAndMayHaveItsName) {
  PolicyChoice choice;
  choice.directories = {directory_.path() + "/etc"};
  directory_.Write(
      "etc/nginx.yaml",
      "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\n"
      "metadata: {name: nginx-tls-keys}\nspec: {mode: Audit, selector: {matchBinaries: "
      "[/usr/sbin/nginx]}, rules: [{match: {during: [f]}}]}\n");
  ASSERT_EQ(Choose(choice, "/usr/sbin/nginx").size(), 1u) << diagnostics_.Render();
  EXPECT_EQ(Choose(choice, "/usr/sbin/nginx")[0].spec.mode, abi::Mode::kAudit);
  // What /bin/sh starts may be nginx.
  const auto for_shell = Choose(choice, "/bin/sh");
  ASSERT_EQ(for_shell.size(), 2u);
  EXPECT_EQ(FindPolicyFor("/bin/sh", for_shell)->metadata.name, "default-presets");
  EXPECT_EQ(FindPolicyFor("/usr/sbin/nginx", for_shell)->metadata.name, "nginx-tls-keys");
}

TEST_F(ChoosePoliciesTest, TheImageHasWhatMayApplyInThisCgroup) {
  PolicyChoice choice;
  choice.paths = {WritePolicy("here",
                              "{selector: {matchUnits: [a.service]}, rules: [{match: "
                              "{during: [f]}}]}"),
                  WritePolicy("there",
                              "{selector: {matchUnits: [b.service]}, priority: 9, rules: "
                              "[{match: {during: [f]}}]}"),
                  WritePolicy("canary",
                              "{rollout: {percent: 50}, priority: 9, rules: "
                              "[{match: {during: [f]}}]}")};
  choice.surroundings.cgroup = "/system.slice/a.service";
  const auto policies = Choose(choice, "/bin/x");
  ASSERT_EQ(policies.size(), 1u) << diagnostics_.Render();
  EXPECT_EQ(policies[0].metadata.name, "here");
}

TEST_F(ChoosePoliciesTest, ExceptedBinariesGetWhatAppliesWithoutThePolicy) {
  PolicyChoice choice;
  choice.paths = {WritePolicy("all",
                              "{priority: 5, exceptions: [{matchBinaries: [/bin/a, /bin/b], "
                              "reason: r, expires: 2999-01-01}], rules: [{match: {during: "
                              "[f]}}]}"),
                  WritePolicy("second",
                              "{selector: {matchBinaries: [/bin/b]}, rules: [{match: "
                              "{during: [f]}}]}")};
  const auto policies = Choose(choice, "/bin/x");
  EXPECT_EQ(FindPolicyFor("/bin/x", policies)->metadata.name, "all");
  EXPECT_EQ(FindPolicyFor("/bin/b", policies)->metadata.name, "second");
  EXPECT_EQ(FindPolicyFor("/bin/a", policies), nullptr);
}

TEST_F(ChoosePoliciesTest, WantsAtLeastOnePolicy) {
  const std::string path = directory_.Write("p.yaml",
                                            "apiVersion: pagewarden/v1alpha1\nkind: "
                                            "Preset\nmetadata: {name: p}\nspec: {during: [f]}\n");
  EXPECT_TRUE(Choose(WithCap({path}, {}), "/bin/x").empty());
  EXPECT_EQ(diagnostics_.Render(), path + ": error PW-P013: there is no AllocationPolicy here\n");
}

TEST(ShimEnvironment, PutsTheShimInFrontOfWhatIsThere) {
  const PublishedPolicy published{"/run/p/policy.image", "/run/p/scopes.so"};
  EXPECT_THAT(
      ShimEnvironment({"A=1", "LD_PRELOAD=/lib/x.so:/lib/y.so",
                       "LD_BIND_NOW=", "B=", "PAGEWARDEN_IMAGE=/old", "LD_PRELOAD=/second"},
                      published, "/lib/shim.so", {{"B", "from the policy"}}),
      ElementsAre("A=1", "LD_PRELOAD=/run/p/scopes.so:/lib/shim.so:/lib/x.so:/lib/y.so",
                  "LD_BIND_NOW=1", "PAGEWARDEN_IMAGE=/run/p/policy.image", "B=from the policy"));
  EXPECT_THAT(ShimEnvironment({}, published, "/lib/shim.so", {}),
              Contains("LD_PRELOAD=/run/p/scopes.so:/lib/shim.so"));
}

TEST(FindLocations, KnowsTheBuildTree) {
  const TempDirectory tree;
  const std::string program = tree.path() + "/agent/pagewarden";
  EXPECT_TRUE(absl::IsNotFound(FindLocations(program).status()));
  tree.Write("preload/libpagewarden.so", "");
  tree.Write("policies/nginx.yaml", "");
  const absl::StatusOr<Locations> locations = FindLocations(program);
  ASSERT_TRUE(locations.ok()) << locations.status();
  EXPECT_EQ(locations->shim, tree.path() + "/preload/libpagewarden.so");
  EXPECT_EQ(locations->policies, tree.path() + "/policies");
}

TEST(FindLocations, RefusesPathsThatDoNotFitIntoLdPreload) {
  const TempDirectory tree;
  tree.Write("a b/preload/libpagewarden.so", "");
  tree.Write("a b/policies/nginx.yaml", "");
  EXPECT_TRUE(
      absl::IsFailedPrecondition(FindLocations(tree.path() + "/a b/agent/pagewarden").status()));
}

}  // namespace
}  // namespace pagewarden
