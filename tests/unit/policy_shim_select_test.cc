// SPDX-License-Identifier: Apache-2.0
// The shim chooses by the image what the agent chooses by the policies.
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "agent/policy/image.h"
#include "agent/policy/select.h"
#include "agent/run/image_policies.h"
#include "preload/rules/select.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using Texts = std::vector<std::string>;

const Texts kBinaries = {"/usr/sbin/nginx", "/bin/a"};
const Texts kUnits = {"nginx.service", "php*-fpm.service", "*.scope", "?.service"};
const Texts kSlices = {"system.slice", "user-*.slice", "*"};
const Texts kCgroupPatterns = {"/", "/system.slice/*", "/a", "/a/*/c", "/user.slice"};
const Texts kCgroups = {"/",
                        "/system.slice/nginx.service",
                        "/system.slice/php8.2-fpm.service/worker",
                        "/user.slice/user-1000.slice/session-2.scope",
                        "/a/b/c",
                        "/a",
                        "/x.service",
                        "/.service/.slice",
                        "/system.slice/system-getty.slice"};

class Chooser {
 public:
  explicit Chooser(uint32_t seed) : random_(seed) {}

  bool OneIn(int n) { return static_cast<int>(random_() % n) == 0; }
  const std::string& From(const Texts& texts) { return texts[random_() % texts.size()]; }

  Texts Some(const Texts& texts) {
    Texts some;
    for (const std::string& text : texts) {
      if (OneIn(2)) some.push_back(text);
    }
    return OneIn(2) ? some : Texts();
  }

  void Fill(ProcessSelector& selector) {
    selector.match_binaries = Some(kBinaries);
    selector.match_units = Some(kUnits);
    selector.match_slices = Some(kSlices);
    selector.match_cgroups = Some(kCgroupPatterns);
  }

  AllocationPolicy Policy(const std::string& name) {
    AllocationPolicy policy;
    policy.metadata.name = name;
    policy.spec.priority = static_cast<int32_t>(random_() % 3);
    policy.spec.arenas.emplace_back();
    Fill(policy.spec.selector);
    while (OneIn(2)) {
      Exception& exception = policy.spec.exceptions.emplace_back();
      Fill(exception);
      exception.expires = OneIn(4) ? absl::CivilDay(2020, 1, 1) : absl::CivilDay(2999, 1, 1);
    }
    return policy;
  }

 private:
  std::mt19937 random_;
};

class ShimSelect : public ::testing::Test {
 protected:
  std::string Chosen(const std::vector<AllocationPolicy>& policies, const std::string& executable,
                     const std::string& cgroup) {
    const std::string path = directory_.Write("image", *CompilePolicyImage(policies));
    PolicyImage image;
    LiveWindow window = {};
    EXPECT_EQ(PolicyImage::Map(path.c_str(), &image, &window), abi::Uncovered::kNone);
    Identity who(executable.c_str(), cgroup.c_str());
    const abi::PolicyEntry* policy = SelectPolicy(image, false, who);
    return policy == nullptr ? "" : image.text(policy->name);
  }

  TempDirectory directory_;
  const HostIdentity host_ = {"machine", absl::CivilDay(2026, 1, 1)};
};

TEST_F(ShimSelect, ChoosesWhatTheAgentChooses) {
  std::map<std::string, int> chosen;
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    Chooser chooser(seed);
    std::vector<AllocationPolicy> policies;
    for (const char* name : {"a", "b", "c", "d"}) policies.push_back(chooser.Policy(name));
    Surroundings facts;
    facts.executable = chooser.From(kBinaries);
    facts.cgroup = chooser.From(kCgroups);
    const AllocationPolicy* agents = SelectPolicy(policies, facts, host_).policy;
    const std::string expected = agents == nullptr ? "" : agents->metadata.name;
    EXPECT_EQ(Chosen(ForImage(policies, Surroundings(), host_), facts.executable, *facts.cgroup),
              expected)
        << seed << ", the host's image";
    EXPECT_EQ(Chosen(ForImage(policies, facts, host_), facts.executable, ""), expected)
        << seed << ", the cgroup's image";
    ++chosen[expected];
  }
  EXPECT_EQ(chosen.size(), 5u);
  for (const auto& [name, times] : chosen) EXPECT_GT(times, 50) << name;
}

TEST_F(ShimSelect, FitsNoCgroupThatIsNotKnown) {
  AllocationPolicy policy;
  policy.metadata.name = "p";
  policy.spec.arenas.emplace_back();
  policy.spec.selector.match_cgroups = {"*"};
  EXPECT_EQ(Chosen({policy}, "/bin/a", ""), "");
  EXPECT_EQ(Chosen({policy}, "/bin/a", "/"), "p");
}

TEST_F(ShimSelect, KnowsItsOwnProgramAndCgroupAsTheAgentDoes) {
  const auto hierarchy = CgroupHierarchy::Find();
  ASSERT_TRUE(hierarchy.ok());
  const Surroundings facts = ReadSurroundings(getpid(), *hierarchy, PodTable());
  Identity self;
  EXPECT_EQ(self.executable(), facts.executable);
  EXPECT_EQ(self.cgroup(), facts.cgroup.value_or(""));
}

}  // namespace
}  // namespace pagewarden
