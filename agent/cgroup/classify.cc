// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup/classify.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pagewarden {
namespace {

constexpr absl::string_view kRuntimeScopes[] = {"docker-", "cri-containerd-", "libpod-", "crio-"};
constexpr absl::string_view kLxcPayload = "lxc.payload.";
constexpr size_t kContainerIdLength = 64;
constexpr size_t kPodUidLength = 36;

bool IsContainerId(absl::string_view text) {
  return text.size() == kContainerIdLength && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isxdigit(static_cast<unsigned char>(c));
         });
}

// "docker-ID.scope" → ID; "ID" → ID below docker or a pod; else empty.
absl::string_view ContainerOf(absl::string_view component, bool may_be_bare) {
  if (absl::ConsumePrefix(&component, kLxcPayload)) return component;
  if (may_be_bare && IsContainerId(component)) return component;
  if (!absl::ConsumeSuffix(&component, ".scope")) return "";
  for (absl::string_view prefix : kRuntimeScopes) {
    if (absl::ConsumePrefix(&component, prefix)) return IsContainerId(component) ? component : "";
  }
  return "";
}

// "podUID" and "kubepods-burstable-podUID_WITH_UNDERSCORES.slice" → UID with dashes.
std::string PodOf(absl::string_view component) {
  const bool by_systemd =
      absl::StartsWith(component, "kubepods") && absl::ConsumeSuffix(&component, ".slice");
  if (by_systemd) {
    const size_t pod = component.rfind("-pod");
    if (pod == absl::string_view::npos) return "";
    component.remove_prefix(pod + 1);
  }
  if (!absl::ConsumePrefix(&component, "pod")) return "";
  // Static pods carry a 32-digit hash in place of a uid.
  if (component.size() != kPodUidLength && component.size() != 32) return "";
  const bool plausible = std::all_of(component.begin(), component.end(), [](char c) {
    return absl::ascii_isxdigit(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
  return plausible ? absl::StrReplaceAll(component, {{"_", "-"}}) : "";
}

std::string UnitKind(absl::string_view component) {
  for (absl::string_view kind : {"slice", "service", "scope"}) {
    absl::string_view stem = component;
    if (absl::ConsumeSuffix(&stem, kind) && absl::ConsumeSuffix(&stem, ".") && !stem.empty()) {
      return std::string(kind);
    }
  }
  return "";
}

}  // namespace

CgroupIdentity ClassifyCgroup(absl::string_view path) {
  CgroupIdentity identity;
  const std::vector<absl::string_view> components = absl::StrSplit(path, '/', absl::SkipEmpty());
  if (components.empty()) {
    identity.kind = "root";
    return identity;
  }
  bool may_be_bare = false;
  for (absl::string_view component : components) {
    const absl::string_view container = ContainerOf(component, may_be_bare);
    const std::string pod = PodOf(component);
    const std::string unit_kind = UnitKind(component);
    if (!container.empty()) identity.container = std::string(container);
    if (!pod.empty()) identity.pod = pod;
    identity.kind = !container.empty()   ? "container"
                    : !pod.empty()       ? "pod"
                    : !unit_kind.empty() ? unit_kind
                                         : "cgroup";
    may_be_bare = !pod.empty() || component == "docker";
  }
  if (!UnitKind(components.back()).empty()) identity.unit = std::string(components.back());
  return identity;
}

}  // namespace pagewarden
