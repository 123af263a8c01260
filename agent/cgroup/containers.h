// SPDX-License-Identifier: Apache-2.0
// Names that container runtimes, kubelet and machined give to single components of a
// cgroup path. Sources: the cgroup managers of runc, Podman, CRI-O, kubelet, LXC and
// systemd-machined, whose forms they keep for compatibility.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace pagewarden {

struct ContainerName {
  std::string id;  // empty: not a container
  std::string runtime;
};

// `parent`: the component above, which decides whether a bare id counts;
// `below_pod`: that is a pod. Monitors (conmon, lxc.monitor) are not containers.
ContainerName ContainerOf(absl::string_view component, absl::string_view parent, bool below_pod);

struct PodName {
  std::string uid;  // empty: not a pod
  std::string qos;  // empty: the component does not say
};

// "podUID", "kubepods-burstable-podUID_WITH_UNDERSCORES.slice", with "kubelet-" before it
// (kind), Podman's "machine-libpod_pod_ID.slice". Static pods have 32 digits for a uid.
PodName PodOf(absl::string_view component);

// "machine-web\x2d1.scope" and "systemd-nspawn@web-1.service" → "web-1", else empty.
std::string MachineOf(absl::string_view component);

// 64 hexadecimal digits.
bool IsContainerId(absl::string_view text);

}  // namespace pagewarden
