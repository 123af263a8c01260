// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "agent/cgroup/classify.h"

namespace pagewarden {
namespace {

const std::string kId(64, 'a');
constexpr char kPodUid[] = "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9fa";
constexpr char kPodUidInSlice[] = "0b1c2d3e_4f50_6172_8394_a5b6c7d8e9fa";

struct Case {
  std::string path;
  std::string kind;
  std::string unit;
  std::string pod;
  std::string container;
};

class Classify : public ::testing::TestWithParam<Case> {};

TEST_P(Classify, Path) {
  const Case& want = GetParam();
  const CgroupIdentity got = ClassifyCgroup(want.path);
  EXPECT_EQ(got.kind, want.kind) << want.path;
  EXPECT_EQ(got.unit, want.unit) << want.path;
  EXPECT_EQ(got.pod, want.pod) << want.path;
  EXPECT_EQ(got.container, want.container) << want.path;
}

const std::string kPodSlice = absl::StrCat("kubepods-burstable-pod", kPodUidInSlice, ".slice");

INSTANTIATE_TEST_SUITE_P(
    Paths, Classify,
    ::testing::Values(
        Case{"/", "root", "", "", ""}, Case{"", "root", "", "", ""},
        Case{"/system.slice", "slice", "system.slice", "", ""},
        Case{"/system.slice/nginx.service", "service", "nginx.service", "", ""},
        Case{"/user.slice/user-0.slice/session-1.scope", "scope", "session-1.scope", "", ""},
        Case{"/process_api/x", "cgroup", "", "", ""}, Case{"/.service", "cgroup", "", "", ""},
        Case{"/docker/" + kId, "container", "", "", kId},
        Case{"/other/" + kId, "cgroup", "", "", ""},
        Case{"/docker/" + kId + "0", "cgroup", "", "", ""},
        Case{"/docker/" + std::string(64, 'g'), "cgroup", "", "", ""},
        Case{"/docker/" + kId + "/init", "cgroup", "", "", kId},
        Case{"/system.slice/docker-" + kId + ".scope", "container", "docker-" + kId + ".scope", "",
             kId},
        Case{"/machine.slice/libpod-" + kId + ".scope/container", "cgroup", "", "", kId},
        Case{"/x/crio-" + kId + ".scope", "container", "crio-" + kId + ".scope", "", kId},
        Case{"/x/docker-short.scope", "scope", "docker-short.scope", "", ""},
        Case{"/lxc.payload.web/system.slice/a.service", "service", "a.service", "", "web"},
        Case{"/kubepods.slice/" + kPodSlice, "pod", kPodSlice, kPodUid, ""},
        Case{"/kubepods.slice/" + kPodSlice + "/cri-containerd-" + kId + ".scope", "container",
             "cri-containerd-" + kId + ".scope", kPodUid, kId},
        Case{absl::StrCat("/kubepods/besteffort/pod", kPodUid), "pod", "", kPodUid, ""},
        Case{absl::StrCat("/kubepods/pod", kPodUid, "/", kId), "container", "", kPodUid, kId},
        Case{"/podman", "cgroup", "", "", ""},
        Case{"/kubepods.slice", "slice", "kubepods.slice", "", ""}));

}  // namespace
}  // namespace pagewarden
