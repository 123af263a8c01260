// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "absl/strings/str_cat.h"
#include "agent/fleet/fleet_report.h"
#include "agent/fleet/problem_texts.h"
#include "agent/fleet/query_answer.h"
#include "agent/fleet/rollout.h"
#include "agent/fleet/unit_limits.h"

namespace pagewarden {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Success(const std::string& result, const std::string& more = "") {
  return absl::StrCat(R"({"status":"success","data":{"resultType":"vector","result":[)", result,
                      "]}", more, "}");
}

QuerySample Sample(std::vector<std::pair<std::string, std::string>> labels, double value) {
  return {SampleLabels(std::move(labels)), value};
}

TEST(QueryAnswer, SamplesWithLabelsAndSpecialValues) {
  const auto answer =
      ParseQueryAnswer(Success(R"({"metric":{"__name__":"m","cgroup":"/a"},"value":[17.5,"+Inf"]},
                 {"metric":{"b":"2","a":"1"},"value":[17.5,"0.25"]},
                 {"metric":{},"value":[17.5,"NaN"]})",
                               R"(,"warnings":["store \u001b gone"])"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_THAT(answer->samples, SizeIs(2));
  EXPECT_EQ(answer->samples[0].labels.Get("cgroup"), "/a");
  EXPECT_TRUE(std::isinf(answer->samples[0].value));
  EXPECT_EQ(answer->samples[1].labels.Get("a"), "1");
  EXPECT_EQ(answer->samples[1].labels.Get("c"), "");
  EXPECT_EQ(answer->time, 17.5);
  EXPECT_THAT(answer->warnings, ElementsAre("store \\x1b gone"));
}

TEST(QueryAnswer, ErrorsOfTheServer) {
  const auto wrong = ParseQueryAnswer(R"({"status":"error","errorType":"bad_data","error":"x"})");
  EXPECT_TRUE(absl::IsInvalidArgument(wrong.status())) << wrong.status();
  const auto late = ParseQueryAnswer(R"({"status":"error","errorType":"timeout","error":"x"})");
  EXPECT_TRUE(absl::IsUnavailable(late.status())) << late.status();
}

TEST(QueryAnswer, WhatIsNoSuchAnswerIsRefused) {
  const std::string deep(100000, '[');
  for (const std::string& body :
       {std::string(),
        std::string("<html>"),
        std::string("[]"),
        std::string("{}"),
        std::string(R"({"status":"success"})"),
        std::string(R"({"status":7})"),
        std::string(R"({"status":"success","data":[]})"),
        std::string(R"({"status":"success","data":{"resultType":"matrix","result":[]}})"),
        Success("7"),
        Success("{}"),
        Success(R"({"metric":{},"value":[1]})"),
        Success(R"({"metric":{},"value":[1,2]})"),
        Success(R"({"metric":{},"value":["1","2"]})"),
        Success(R"({"metric":{},"value":[1,"two"]})"),
        Success(R"({"metric":7,"value":[1,"2"]})"),
        Success(R"({"metric":{"a":7},"value":[1,"2"]})"),
        Success("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"),
        deep,
        Success(deep),
        Success("{\"metric\":{\"a\":\"\xff\"},\"value\":[1,\"2\"]}")}) {
    EXPECT_TRUE(absl::IsDataLoss(ParseQueryAnswer(body).status())) << body.substr(0, 200);
  }
}

TEST(QueryAnswer, LabelsAreBounded) {
  const std::string text(kMaxLabelBytes, 'x');
  const auto long_one = ParseQueryAnswer(
      Success(absl::StrCat(R"({"metric":{"a":")", text, R"("},"value":[1,"2"]})")));
  EXPECT_TRUE(absl::IsResourceExhausted(long_one.status())) << long_one.status();
  std::string many;
  for (size_t i = 0; i <= kMaxLabelsOfSample; ++i) {
    absl::StrAppend(&many, i == 0 ? "" : ",", "\"l", i, "\":\"\"");
  }
  const auto crowd =
      ParseQueryAnswer(Success(absl::StrCat(R"({"metric":{)", many, R"(},"value":[1,"2"]})")));
  EXPECT_TRUE(absl::IsResourceExhausted(crowd.status())) << crowd.status();
}

TEST(FleetReport, HostsOfTwoClustersAreTwo) {
  FleetAnswers answers;
  for (const char* cluster : {"eu", "us"}) {
    answers[FleetTopic::kHosts].push_back(
        Sample({{"__name__", "up"}, {"instance", "a:1"}, {"cluster", cluster}}, 1));
    answers[FleetTopic::kHosts].push_back(Sample(
        {{"__name__", "pagewarden_build_info"}, {"instance", "a:1"}, {"cluster", cluster}}, 1));
  }
  answers[FleetTopic::kReloads] = {Sample({{"instance", "a:1"}, {"cluster", "us"}}, 90)};
  const FleetReport report = BuildFleetReport(answers, {});
  ASSERT_THAT(report.hosts, SizeIs(2));
  ASSERT_THAT(report.rows, SizeIs(1));
  EXPECT_EQ(report.hosts[report.rows[0].host].name, "a:1{cluster=\"us\"}");
  EXPECT_THAT(report.rows[0].problems[0].text, HasSubstr("is 90s old"));
}

TEST(FleetReport, ReasonsOfOneCgroupAreOneProblem) {
  FleetAnswers answers;
  for (const auto& [reason, count] : {std::pair{"lsm", 0.6}, std::pair{"rlimit", 2.0}}) {
    answers[FleetTopic::kDenials].push_back(
        Sample({{"instance", "a"}, {"cgroup", "/x"}, {"reason", reason}}, count));
  }
  const FleetReport report = BuildFleetReport(answers, {});
  ASSERT_THAT(report.rows, SizeIs(1));
  ASSERT_THAT(report.rows[0].problems, SizeIs(1));
  EXPECT_EQ(report.rows[0].problems[0].text, "3 locks refused in 10m: rlimit 2, lsm 1");
}

std::vector<QuerySample> Holders(int first, int second) {
  std::vector<QuerySample> result;
  for (int i = 0; i < first + second; ++i) {
    result.push_back(Sample({{"instance", absl::StrCat("h", i)},
                             {"policy", "p"},
                             {"hash", i < first ? "old" : "new"},
                             {"mode", "Audit"}},
                            1));
  }
  return result;
}

PolicyRollout RolloutWith(int first, int second, std::vector<QuerySample> switches) {
  HostTable hosts;
  return RolloutOf(Holders(first, second), switches, {"10m", "1h"}, hosts).at(0);
}

QuerySample Switched(const char* hash, const char* age, double hosts) {
  return Sample({{"policy", "p"}, {"hash", hash}, {"what", age}}, hosts);
}

TEST(Rollout, TheHashThatHostsSwitchedToIsTheNewOne) {
  const PolicyRollout canary = RolloutWith(9, 1, {Switched("new", "1h", 1)});
  EXPECT_EQ(canary.current_hash, "new");
  EXPECT_THAT(canary.behind, SizeIs(9));
  EXPECT_FALSE(canary.moving);
  EXPECT_TRUE(RolloutWith(9, 1, {Switched("new", "10m", 1)}).moving);
  const PolicyRollout back =
      RolloutWith(2, 8, {Switched("old", "10m", 2), Switched("new", "1h", 8)});
  EXPECT_EQ(back.current_hash, "old");
}

TEST(Rollout, WithoutASwitchTheMostCount) {
  EXPECT_EQ(RolloutWith(1, 9, {}).current_hash, "new");
  EXPECT_EQ(RolloutWith(5, 5, {}).current_hash, "");
  EXPECT_THAT(RolloutWith(5, 5, {}).behind, IsEmpty());
}

TEST(ServiceOfCgroup, OnlyTheHostsOwnServices) {
  EXPECT_EQ(ServiceOf("/system.slice/nginx.service"), "nginx.service");
  EXPECT_EQ(ServiceOf("/system.slice/nginx.service/worker"), "nginx.service");
  EXPECT_EQ(ServiceOf("/system.slice/getty@tty1.service"), "getty@tty1.service");
  for (const std::string& path :
       {std::string("/"), std::string(), std::string("/a.slice"), std::string("/a.service b"),
        std::string("/user.slice/user-1.slice/user@1.service/app.slice/x.service"),
        absl::StrCat("/docker/", std::string(64, 'a'), "/system.slice/x.service"),
        std::string("/system.slice/.service"), std::string("/system.slice/-x.service"),
        std::string("/a\n.service"), absl::StrCat("/", std::string(300, 'a'), ".service")}) {
    EXPECT_EQ(ServiceOf(path), "") << path;
  }
}

TEST(UnitLimits, TheHighestOfAllHosts) {
  const auto of = [](const char* what, const char* cgroup, double value, const char* host = "") {
    return Sample({{"what", what}, {"cgroup", cgroup}, {"instance", host}}, value);
  };
  const auto limits = UnitLimitsOf(
      {of("recommended", "/s/a.service", 65536, "h1"),
       of("recommended", "/s/a.service/sub", 131072, "h\x1b"), of("peak", "/s/a.service", 4096),
       of("hosts", "/s/a.service", 3), of("limit", "/s/a.service", 8192),
       of("recommended", "/s/b.service", INFINITY, "h1"), of("peak", "/s/c.service", 4096)});
  ASSERT_THAT(limits, SizeIs(1));
  EXPECT_EQ(
      DropInOf(limits[0], "http://p"),
      "# a.service: made by `pagewarden fleet status --recommend` from http://p\n"
      "# highest need of a process, with a quarter of headroom: 128 KiB, on h\\x1b of 3 hosts\n"
      "# highest sum locked in its cgroup: 4 KiB; lowest limit now: 8 KiB\n"
      "[Service]\nLimitMEMLOCK=131072\n");
}

TEST(Questions, Durations) {
  for (const char* good : {"10s", "90s", "1h30m", "7d"}) EXPECT_TRUE(IsPromDuration(good)) << good;
  for (const char* bad : {"", "10", "s", "0s", "1h]", "-5m", "5 m", "1x"}) {
    EXPECT_FALSE(IsPromDuration(bad)) << bad;
  }
}

}  // namespace
}  // namespace pagewarden
