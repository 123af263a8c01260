// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup/containers.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace pagewarden {
namespace {

constexpr size_t kContainerIdLength = 64;
constexpr size_t kPodUidLength = 36;
constexpr size_t kStaticPodHashLength = 32;

struct Prefix {
  absl::string_view text;
  absl::string_view runtime;
};

// Longest first where one begins another.
constexpr Prefix kRuntimePrefixes[] = {
    {"docker-", "docker"}, {"cri-containerd-", "containerd"}, {"nerdctl-", "containerd"},
    {"crio-", "cri-o"},    {"libpod-payload-", "podman"},     {"libpod-", "podman"},
};

// Directories in which the cgroupfs driver puts bare ids.
constexpr Prefix kParents[] = {
    {"docker", "docker"},
    {"moby", "docker"},
    {"k8s.io", "containerd"},
    {"default", "containerd"},
};

bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); });
}

ContainerName Lxc(absl::string_view component, absl::string_view parent) {
  if (absl::ConsumePrefix(&component, "lxc.payload.") && !component.empty()) {
    return {std::string(component), "lxc"};
  }
  if (parent == "lxc" || parent == "lxc.payload") return {std::string(component), "lxc"};
  return {};
}

ContainerName BareId(absl::string_view component, absl::string_view parent, bool below_pod) {
  if (!IsContainerId(component)) return {};
  for (const Prefix& known : kParents) {
    if (parent == known.text) return {std::string(component), std::string(known.runtime)};
  }
  return below_pod ? ContainerName{std::string(component), ""} : ContainerName{};
}

// A runtime with the cgroupfs driver that was given a path for the systemd driver makes
// one directory of it: "kubepods-podUID.slice:cri-containerd:ID".
ContainerName Unparsed(absl::string_view component) {
  const size_t last = component.rfind(':');
  if (last == absl::string_view::npos || !IsContainerId(component.substr(last + 1))) return {};
  absl::string_view runtime = component.substr(0, last);
  runtime = runtime.substr(runtime.rfind(':') + 1);
  for (const Prefix& known : kRuntimePrefixes) {
    if (runtime == absl::StripSuffix(known.text, "-")) runtime = known.runtime;
  }
  return {std::string(component.substr(last + 1)), std::string(runtime)};
}

PodName PodOfKubelet(absl::string_view slice) {
  const size_t pod = slice.rfind("-pod");
  if (pod == absl::string_view::npos) return {};
  PodName name = PodOf(slice.substr(pod + 1));
  if (name.uid.empty()) return {};
  const absl::string_view above = slice.substr(0, pod);
  name.qos = absl::EndsWith(above, "-burstable")    ? "burstable"
             : absl::EndsWith(above, "-besteffort") ? "besteffort"
                                                    : "guaranteed";
  return name;
}

PodName PodOfPodman(absl::string_view slice) {
  const size_t mark = slice.rfind("libpod_pod_");
  if (mark == absl::string_view::npos) return {};
  slice.remove_prefix(mark + strlen("libpod_pod_"));
  return IsContainerId(slice) ? PodName{std::string(slice), ""} : PodName{};
}

// systemd.unit(5): bytes that a unit name cannot have are \xNN.
std::string Unescape(absl::string_view name) {
  std::string result;
  for (size_t i = 0; i < name.size(); ++i) {
    uint32_t byte = 0;
    if (absl::StartsWith(name.substr(i), "\\x") && IsHex(name.substr(i + 2, 2)) &&
        absl::SimpleHexAtoi(name.substr(i + 2, 2), &byte)) {
      result += static_cast<char>(byte);
      i += 3;
    } else {
      result += name[i];
    }
  }
  return result;
}

}  // namespace

bool IsContainerId(absl::string_view text) {
  return text.size() == kContainerIdLength && IsHex(text);
}

ContainerName ContainerOf(absl::string_view component, absl::string_view parent, bool below_pod) {
  if (ContainerName name = Lxc(component, parent); !name.id.empty()) return name;
  if (ContainerName name = Unparsed(component); !name.id.empty()) return name;
  if (ContainerName name = BareId(component, parent, below_pod); !name.id.empty()) return name;
  absl::ConsumeSuffix(&component, ".scope");
  for (const Prefix& known : kRuntimePrefixes) {
    absl::string_view id = component;
    if (absl::ConsumePrefix(&id, known.text) && IsContainerId(id)) {
      return {std::string(id), std::string(known.runtime)};
    }
  }
  return {};
}

PodName PodOf(absl::string_view component) {
  component = component.substr(0, component.find(':'));
  if (absl::ConsumeSuffix(&component, ".slice")) {
    return absl::StrContains(component, "kubepods") ? PodOfKubelet(component)
                                                    : PodOfPodman(component);
  }
  if (!absl::ConsumePrefix(&component, "pod")) return {};
  if (component.size() != kPodUidLength && component.size() != kStaticPodHashLength) return {};
  std::string uid = absl::StrReplaceAll(component, {{"_", "-"}});
  return IsHex(absl::StrReplaceAll(uid, {{"-", ""}})) ? PodName{std::move(uid), ""} : PodName{};
}

std::string MachineOf(absl::string_view component) {
  const bool is_scope =
      absl::ConsumePrefix(&component, "machine-") && absl::ConsumeSuffix(&component, ".scope");
  const bool is_service = !is_scope && absl::ConsumePrefix(&component, "systemd-nspawn@") &&
                          absl::ConsumeSuffix(&component, ".service");
  return is_scope || is_service ? Unescape(component) : "";
}

}  // namespace pagewarden
