// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "agent/doctor/environment/environment.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kId[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

Environment At(const std::string& cgroup, uid_t uid = 0, bool initial = true) {
  EnvironmentFacts facts;
  facts.cgroups = {cgroup};
  facts.uid = uid;
  facts.in_initial_user_ns = initial;
  return DetectEnvironment(facts);
}

// All that is printed of the fixes.
std::string Fixes(const Environment& environment) {
  LimitGoal goal;
  goal.bytes = 1310720;
  goal.command = "./server";
  std::string text;
  for (const Fix& fix : LimitFixes(environment, goal)) {
    absl::StrAppend(&text, fix.file, "\n", fix.content);
    for (const std::string& command : fix.commands) absl::StrAppend(&text, command, "\n");
  }
  return text;
}

TEST(Environment, IsToldByTheCgroup) {
  const std::string pod = "/kubepods.slice/kubepods-pod01234567_89ab_cdef_0123_456789abcdef.slice/";
  EXPECT_EQ(Describe(At("/system.slice/nginx.service")), "systemd service nginx.service");
  EXPECT_EQ(Describe(At("/system.slice/x.service/worker")), "systemd service x.service");
  EXPECT_EQ(At("/user.slice/user-1000.slice/session-3.scope").kind, EnvironmentKind::kLogin);
  EXPECT_EQ(Describe(At("/user.slice/user-77777.slice/user@77777.service/app.slice/x.service")),
            "user session user@77777.service");
  EXPECT_EQ(At(absl::StrCat("/system.slice/docker-", kId, ".scope")).kind,
            EnvironmentKind::kDocker);
  EXPECT_EQ(At(absl::StrCat("/machine.slice/libpod-", kId, ".scope")).kind,
            EnvironmentKind::kPodman);
  EXPECT_EQ(At(absl::StrCat(pod, "cri-containerd-", kId, ".scope")).kind,
            EnvironmentKind::kContainerd);
  EXPECT_EQ(At(absl::StrCat(pod, "crio-", kId, ".scope")).kind, EnvironmentKind::kCrio);
  EXPECT_EQ(Describe(At("/lxc.payload.web")), "container of LXC web");
  EXPECT_EQ(At("/").kind, EnvironmentKind::kPlain);
}

TEST(Environment, IsToldByFilesWhereTheCgroupSaysNothing) {
  EnvironmentFacts facts;
  facts.has_dockerenv = true;
  EXPECT_EQ(DetectEnvironment(facts).kind, EnvironmentKind::kDocker);
  facts.has_containerenv = true;
  EXPECT_EQ(DetectEnvironment(facts).kind, EnvironmentKind::kPodman);
  facts = {};
  facts.container_variable = "lxc";
  EXPECT_EQ(DetectEnvironment(facts).kind, EnvironmentKind::kLxc);
}

TEST(LimitFixes, HaveTheUnitOfTheirTool) {
  const std::string login = Fixes(At("/user.slice/user-0.slice/session-3.scope"));
  EXPECT_THAT(login, HasSubstr("root - memlock 1280\n"));  // KiB
  EXPECT_THAT(Fixes(At("/system.slice/a.service")), HasSubstr("LimitMEMLOCK=1310720\n"));
  EXPECT_THAT(Fixes(At(absl::StrCat("/docker/", kId))),
              HasSubstr("docker run --ulimit memlock=1310720:1310720"));
  EXPECT_THAT(Fixes(At("/lxc.payload.web")),
              HasSubstr("lxc config set web limits.kernel.memlock 1310720"));
  EXPECT_THAT(Fixes(At("/")), HasSubstr("prlimit --memlock=1310720:1310720 -- ./server"));
}

TEST(LimitFixes, OfferTheCapabilityOnlyWhereItCounts) {
  const std::string docker = absl::StrCat("/docker/", kId);
  EXPECT_THAT(Fixes(At(docker)), HasSubstr("--cap-add=IPC_LOCK"));
  EXPECT_THAT(Fixes(At(docker, 1000)), Not(HasSubstr("IPC_LOCK")));      // never effective
  EXPECT_THAT(Fixes(At(docker, 0, false)), Not(HasSubstr("IPC_LOCK")));  // of its namespace only
  EXPECT_THAT(Fixes(At("/", 1000)), HasSubstr("--reuid=1000"));
}

TEST(LimitFixes, NeverSetAFileCapabilityNorAskForPrivilege) {
  for (const char* cgroup : {"/", "/system.slice/a.service", "/lxc.payload.web",
                             "/user.slice/user-0.slice/session-3.scope"}) {
    EXPECT_THAT(Fixes(At(cgroup)), Not(HasSubstr("setcap")));
    EXPECT_THAT(Fixes(At(cgroup)), Not(HasSubstr("privileged")));
  }
}

TEST(LimitFixes, OfRootlessPodmanStartWithItsUser) {
  const std::string fixes = Fixes(At(absl::StrCat("/libpod-", kId, ".scope"), 4242, false));
  EXPECT_LT(fixes.find("4242 - memlock 1280"), fixes.find("podman run --ulimit"));
}

}  // namespace
}  // namespace pagewarden
