// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "agent/policy/select.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr char kPodUid[] = "12345678-1234-1234-1234-123456789abc";
const absl::CivilDay kToday(2026, 6, 1);

Surroundings Nginx(const std::string& cgroup = "/edge.slice/edge-web.slice/nginx.service") {
  Surroundings facts;
  facts.executable = "/usr/sbin/nginx";
  facts.cgroup = cgroup;
  return facts;
}

AllocationPolicy PolicyWith(const std::string& spec, const std::string& name = "p") {
  return LoadValid("apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: {name: " +
                   name + "}\nspec: {rules: [{match: {during: [f]}}], " + spec + "}\n")
      .policies.at(0);
}

Judgement JudgeSelector(const std::string& selector, const Surroundings& facts) {
  return Judge(PolicyWith("selector: {" + selector + "}"), facts, {"", kToday});
}

TEST(Select, EveryKeyMustFitAndOneOfAListIsEnough) {
  const auto fits = [](const std::string& selector) {
    return JudgeSelector(selector, Nginx()).fits;
  };
  EXPECT_TRUE(fits(""));
  EXPECT_TRUE(fits("matchBinaries: [/bin/a, /usr/sbin/nginx]"));
  EXPECT_FALSE(fits("matchBinaries: [/usr/sbin]"));
  EXPECT_TRUE(fits("matchUnits: [a.service, nginx.service]"));
  EXPECT_TRUE(fits("matchUnits: ['ngin?.service']"));
  EXPECT_FALSE(fits("matchUnits: ['edge*']"));  // a slice is no unit
  EXPECT_TRUE(fits("matchSlices: [edge.slice]"));
  EXPECT_TRUE(fits("matchSlices: [edge-web.slice]"));
  EXPECT_FALSE(fits("matchSlices: [web.slice]"));
  EXPECT_TRUE(fits("matchCgroups: [/edge.slice]"));
  EXPECT_TRUE(fits("matchCgroups: [/]"));
  EXPECT_TRUE(fits("matchCgroups: ['/*/nginx.service']"));
  EXPECT_FALSE(fits("matchCgroups: [/edge]"));  // whole names
  EXPECT_TRUE(fits("matchBinaries: [/usr/sbin/nginx], matchSlices: [edge.slice]"));
  EXPECT_FALSE(fits("matchBinaries: [/usr/sbin/nginx], matchSlices: [web.slice]"));
  EXPECT_FALSE(fits("matchUnits: [nginx.service], matchSlices: [web.slice]"));
}

TEST(Select, SaysWhy) {
  EXPECT_EQ(
      JudgeSelector("matchBinaries: [/usr/sbin/nginx], matchUnits: ['ng*.service']", Nginx()).why,
      "selects its path, unit nginx.service");
  EXPECT_EQ(JudgeSelector("matchUnits: [ssh.service, b.scope]", Nginx()).why,
            "its unit is nginx.service, not ssh.service or b.scope");
  EXPECT_EQ(JudgeSelector("matchUnits: [ssh.service]", Nginx("/a/b")).why, "it is in no unit");
  EXPECT_EQ(JudgeSelector("matchCgroups: [/x]", Nginx("/a/b")).why, "its cgroup is /a/b, not /x");
}

TEST(Select, WhatIsNotKnownDoesNotFit) {
  Surroundings facts = Nginx();
  facts.cgroup.reset();
  EXPECT_EQ(JudgeSelector("matchUnits: ['*']", facts).why, "its cgroup is not known");
  facts.executable.clear();
  EXPECT_EQ(JudgeSelector("matchBinaries: [/bin/a]", facts).why, "its program is not known");
  EXPECT_TRUE(JudgeSelector("", facts).fits);
}

TEST(Select, PodsAreKnownByWhatTheKubeletWrites) {
  const TempDirectory root;
  root.Write(std::string("var/log/pods/payments_signer-0_") + kPodUid + "/signer/0.log", "");
  root.Write(std::string("var/lib/kubelet/pods/") + kPodUid +
                 "/volumes/kubernetes.io~downward-api/info/labels",
             "app=\"signer\"\nnote=\"a \\\"b\\\"\"\nbad\n");
  const PodTable pods = PodTable::Read(root.path());
  const std::string cgroup =
      std::string("/kubepods/burstable/pod") + kPodUid + "/" + std::string(64, 'a');
  const Surroundings facts = FactsOfCgroup(cgroup, pods);
  ASSERT_TRUE(facts.pod.has_value());
  EXPECT_EQ(facts.pod->kube_namespace, "payments");
  EXPECT_THAT(*facts.pod->labels, ElementsAre(Pair("app", "signer"), Pair("note", "a \"b\"")));
  const std::string in_payments = "namespaceSelector: {matchNames: ['pay*']}";
  EXPECT_TRUE(JudgeSelector(in_payments, facts).fits);
  EXPECT_TRUE(JudgeSelector("podSelector: {matchLabels: {app: signer}}", facts).fits);
  EXPECT_EQ(JudgeSelector("podSelector: {matchLabels: {app: web}}", facts).why,
            "its pod has no label app: web");
  EXPECT_EQ(JudgeSelector(in_payments, Nginx()).why, "it is in no pod that this host knows of");
  const Surroundings without_labels = {"", cgroup, PodFacts{"payments", "signer-0", {}}};
  EXPECT_EQ(JudgeSelector("podSelector: {matchLabels: {app: signer}}", without_labels).why,
            "the labels of its pod are not known on this host");
}

TEST(Select, ExceptionsHoldUntilTheirLastDay) {
  const AllocationPolicy policy = PolicyWith(
      "exceptions: [{matchUnits: [nginx.service], reason: moves soon, expires: 2026-06-01}]");
  const auto judge = [&](const Surroundings& facts, absl::CivilDay today) {
    return Judge(policy, facts, {"", today});
  };
  EXPECT_EQ(judge(Nginx(), kToday).why, "an exception until 2026-06-01: moves soon");
  EXPECT_FALSE(judge(Nginx(), kToday).fits);
  EXPECT_TRUE(judge(Nginx(), kToday + 1).fits);
  EXPECT_TRUE(judge(Nginx("/a.slice/ssh.service"), kToday).fits);
}

TEST(Rollout, TakesTheSameHostsEveryTimeAndMoreOfThemWithAHigherNumber) {
  constexpr int kHosts = 1000;
  int at_10 = 0, at_50 = 0;
  const AllocationPolicy ten = PolicyWith("rollout: {percent: 10}");
  const AllocationPolicy fifty = PolicyWith("rollout: {percent: 50}");
  for (int i = 0; i < kHosts; ++i) {
    const HostIdentity host{"machine-" + std::to_string(i), kToday};
    const bool in_ten = IsRolledOut(ten, host).fits, in_fifty = IsRolledOut(fifty, host).fits;
    at_10 += in_ten;
    at_50 += in_fifty;
    EXPECT_TRUE(in_fifty || !in_ten);
  }
  EXPECT_NEAR(at_10, kHosts / 10, 40);
  EXPECT_NEAR(at_50, kHosts / 2, 60);
  // Frozen: a new version must not move policies between hosts.
  EXPECT_EQ(RolloutBucket("0123456789abcdef0123456789abcdef", "nginx-tls-keys"), 78);
}

TEST(Rollout, NeedsAMachineId) {
  const AllocationPolicy half = PolicyWith("rollout: {percent: 50}");
  EXPECT_THAT(IsRolledOut(half, {"", kToday}).why, HasSubstr("no machine-id"));
  EXPECT_FALSE(IsRolledOut(half, {"", kToday}).fits);
  EXPECT_TRUE(IsRolledOut(PolicyWith("rollout: {percent: 100}"), {"", kToday}).fits);
}

TEST(SelectPolicy, TakesTheFirstThatAppliesAndJudgesAll) {
  const std::vector<AllocationPolicy> policies = {
      PolicyWith("priority: 9, selector: {matchUnits: [ssh.service]}", "high"),
      PolicyWith("priority: 1", "low-b"), PolicyWith("priority: 1", "low-a")};
  const Choice choice = SelectPolicy(policies, Nginx(), {"", kToday});
  ASSERT_NE(choice.policy, nullptr);
  EXPECT_EQ(choice.policy->metadata.name, "low-a");
  ASSERT_EQ(choice.judgements.size(), 3u);
  EXPECT_FALSE(choice.judgements[0].fits);
}

TEST(CgroupNames, AreTheComponentsWithSystemdsSuffixes) {
  const std::string path = "/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope/sub";
  EXPECT_THAT(SlicesOf(path), ElementsAre("user.slice", "user-1000.slice", "app.slice"));
  EXPECT_THAT(UnitsOf(path), ElementsAre("user@1000.service", "x.scope"));
  EXPECT_THAT(UnitsOf("/.service"), IsEmpty());
}

}  // namespace
}  // namespace pagewarden
