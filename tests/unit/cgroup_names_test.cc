// SPDX-License-Identifier: Apache-2.0
// Cgroup paths as they are found on real hosts, a form of each runtime and driver.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "agent/cgroup/classify.h"

namespace pagewarden {
namespace {

const std::string kId = "0f8a4e2b6c1d" + std::string(52, '7');
const std::string kInnerId = "a1b2c3d4e5f6" + std::string(52, '9');
const std::string kPodUid = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9fa";
const std::string kPodUidInSlice = "0b1c2d3e_4f50_6172_8394_a5b6c7d8e9fa";
const std::string kStaticPod = "d41d8cd98f00b204e9800998ecf8427e";
const std::string kUserSlice = "/user.slice/user-1000.slice/user@1000.service";

struct Want {
  std::string kind;
  std::string container;
  std::string runtime;
  std::string pod;
  std::string qos;
};

void ExpectWorkload(const std::string& path, const Want& want) {
  const CgroupIdentity got = ClassifyCgroup(path);
  EXPECT_EQ(got.kind, want.kind) << path;
  EXPECT_EQ(got.container, want.container) << path;
  EXPECT_EQ(got.runtime, want.runtime) << path;
  EXPECT_EQ(got.pod, want.pod) << path;
  EXPECT_EQ(got.qos, want.qos) << path;
}

TEST(CgroupNames, Docker) {
  ExpectWorkload("/docker/" + kId, {"container", kId, "docker", "", ""});
  ExpectWorkload("/system.slice/docker-" + kId + ".scope", {"container", kId, "docker", "", ""});
  ExpectWorkload(kUserSlice + "/user.slice/docker-" + kId + ".scope",
                 {"container", kId, "docker", "", ""});
  ExpectWorkload("/system.slice/docker.service", {"service", "", "", "", ""});
}

TEST(CgroupNames, NestedContainersAreTheInnerOne) {
  ExpectWorkload(absl::StrCat("/docker/", kId, "/docker/", kInnerId),
                 {"container", kInnerId, "docker", "", ""});
  ExpectWorkload(
      absl::StrCat("/system.slice/docker-", kId, ".scope/system.slice/libpod-", kInnerId, ".scope"),
      {"container", kInnerId, "podman", "", ""});
  // A service inside a container is still in it.
  ExpectWorkload(absl::StrCat("/docker/", kId, "/system.slice/sshd.service"),
                 {"service", kId, "docker", "", ""});
}

TEST(CgroupNames, Containerd) {
  ExpectWorkload("/k8s.io/" + kId, {"container", kId, "containerd", "", ""});
  ExpectWorkload("/default/" + kId, {"container", kId, "containerd", "", ""});
  ExpectWorkload("/system.slice/nerdctl-" + kId + ".scope",
                 {"container", kId, "containerd", "", ""});
}

TEST(CgroupNames, Podman) {
  ExpectWorkload("/machine.slice/libpod-" + kId + ".scope", {"container", kId, "podman", "", ""});
  ExpectWorkload(kUserSlice + "/user.slice/libpod-" + kId + ".scope/container",
                 {"cgroup", kId, "podman", "", ""});
  ExpectWorkload("/libpod_parent/libpod-" + kId, {"container", kId, "podman", "", ""});
  ExpectWorkload("/system.slice/web.service/libpod-payload-" + kId,
                 {"container", kId, "podman", "", ""});
  ExpectWorkload(absl::StrCat("/machine.slice/machine-libpod_pod_", kId, ".slice"),
                 {"pod", "", "", kId, ""});
  ExpectWorkload(
      absl::StrCat("/machine.slice/machine-libpod_pod_", kId, ".slice/libpod-", kInnerId, ".scope"),
      {"container", kInnerId, "podman", kId, ""});
}

TEST(CgroupNames, MonitorsAreNotContainers) {
  ExpectWorkload("/machine.slice/libpod-conmon-" + kId + ".scope", {"scope", "", "", "", ""});
  ExpectWorkload("/lxc.monitor.web", {"cgroup", "", "", "", ""});
  ExpectWorkload(absl::StrCat("/kubepods.slice/kubepods-pod", kPodUidInSlice, ".slice/crio-conmon-",
                              kId, ".scope"),
                 {"scope", "", "", kPodUid, "guaranteed"});
}

TEST(CgroupNames, KubernetesBySystemd) {
  const std::string burstable = absl::StrCat(
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod", kPodUidInSlice, ".slice");
  ExpectWorkload(burstable, {"pod", "", "", kPodUid, "burstable"});
  ExpectWorkload(burstable + "/cri-containerd-" + kId + ".scope",
                 {"container", kId, "containerd", kPodUid, "burstable"});
  ExpectWorkload(burstable + "/crio-" + kId + ".scope",
                 {"container", kId, "cri-o", kPodUid, "burstable"});
  ExpectWorkload(
      absl::StrCat("/kubepods.slice/kubepods-pod", kPodUidInSlice, ".slice/docker-", kId, ".scope"),
      {"container", kId, "docker", kPodUid, "guaranteed"});
  ExpectWorkload(absl::StrCat("/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod",
                              kStaticPod, ".slice"),
                 {"pod", "", "", kStaticPod, "besteffort"});
  // kind: a node in a container.
  ExpectWorkload(absl::StrCat("/docker/", kInnerId,
                              "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort"
                              ".slice/kubelet-kubepods-besteffort-pod",
                              kPodUidInSlice, ".slice/cri-containerd-", kId, ".scope"),
                 {"container", kId, "containerd", kPodUid, "besteffort"});
}

TEST(CgroupNames, KubernetesByCgroupfs) {
  ExpectWorkload(absl::StrCat("/kubepods/burstable/pod", kPodUid, "/", kId),
                 {"container", kId, "", kPodUid, "burstable"});
  ExpectWorkload(absl::StrCat("/kubepods/pod", kPodUid), {"pod", "", "", kPodUid, "guaranteed"});
  ExpectWorkload(absl::StrCat("/kubepods/besteffort/pod", kStaticPod, "/crio-", kId),
                 {"container", kId, "cri-o", kStaticPod, "besteffort"});
  ExpectWorkload(
      absl::StrCat("/docker/", kInnerId, "/kubelet/kubepods/burstable/pod", kPodUid, "/", kId),
      {"container", kId, "", kPodUid, "burstable"});
}

TEST(CgroupNames, KubernetesWithBothDriversAtOnce) {
  ExpectWorkload(absl::StrCat("/system.slice/containerd.service/kubepods-burstable-pod",
                              kPodUidInSlice, ".slice:cri-containerd:", kId),
                 {"container", kId, "containerd", kPodUid, "burstable"});
}

TEST(CgroupNames, Lxc) {
  ExpectWorkload("/lxc.payload.web", {"container", "web", "lxc", "", ""});
  ExpectWorkload("/lxc/web", {"container", "web", "lxc", "", ""});
  ExpectWorkload("/lxc.payload/web/init.scope", {"scope", "web", "lxc", "", ""});
  ExpectWorkload("/lxc.payload.web/user.slice/user-0.slice", {"slice", "web", "lxc", "", ""});
  ExpectWorkload("/system.slice/snap.lxd.daemon.service", {"service", "", "", "", ""});
  ExpectWorkload("/lxc.payload.", {"cgroup", "", "", "", ""});
}

TEST(CgroupNames, Machines) {
  const CgroupIdentity scope = ClassifyCgroup("/machine.slice/machine-web\\x2d1.scope");
  EXPECT_EQ(scope.kind, "machine");
  EXPECT_EQ(scope.machine, "web-1");
  const CgroupIdentity service = ClassifyCgroup(
      "/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service");
  EXPECT_EQ(service.kind, "service");
  EXPECT_EQ(service.machine, "web");
  EXPECT_EQ(service.unit, "nginx.service");
  EXPECT_EQ(ClassifyCgroup("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/emulator").machine,
            "qemu-1-vm");
  EXPECT_EQ(ClassifyCgroup("/machine.slice/machine-a\\x.scope").machine, "a\\x");
}

TEST(CgroupNames, SessionsAndUserManagers) {
  const CgroupIdentity session = ClassifyCgroup("/user.slice/user-1000.slice/session-c3.scope");
  EXPECT_EQ(session.kind, "scope");
  EXPECT_EQ(session.session, "c3");
  EXPECT_EQ(session.user, 1000u);
  const CgroupIdentity app =
      ClassifyCgroup(kUserSlice + "/app.slice/app-org.gnome.Terminal.slice/vte-spawn-1.scope");
  EXPECT_EQ(app.unit, "vte-spawn-1.scope");
  EXPECT_EQ(app.user, 1000u);
  EXPECT_EQ(app.session, "");
  EXPECT_EQ(ClassifyCgroup(kUserSlice).kind, "service");
  EXPECT_EQ(ClassifyCgroup("/user.slice/user-x.slice").user, std::nullopt);
}

// Uid 0 of a container is not uid 0 of the host.
TEST(CgroupNames, UsersInsideAContainerAreItsOwn) {
  EXPECT_EQ(ClassifyCgroup("/lxc.payload.web/user.slice/user-0.slice/session-1.scope").user,
            std::nullopt);
  EXPECT_EQ(ClassifyCgroup("/lxc.payload.web/user.slice/user-0.slice/session-1.scope").session, "");
  EXPECT_EQ(ClassifyCgroup(kUserSlice + "/user.slice/libpod-" + kId + ".scope").user, 1000u);
}

TEST(ShortCgroupPath, CutsContainerIdsOnly) {
  EXPECT_EQ(ShortCgroupPath("/system.slice/docker-" + kId + ".scope"),
            "/system.slice/docker-0f8a4e2b6c1d.scope");
  EXPECT_EQ(ShortCgroupPath(absl::StrCat("/docker/", kId, "/docker/", kInnerId)),
            "/docker/0f8a4e2b6c1d/docker/a1b2c3d4e5f6");
  EXPECT_EQ(ShortCgroupPath("/x/" + kStaticPod), "/x/" + kStaticPod);
  EXPECT_EQ(ShortCgroupPath("/x/" + kId + "0"), "/x/" + kId + "0");
  EXPECT_EQ(ShortCgroupPath(""), "");
}

}  // namespace
}  // namespace pagewarden
