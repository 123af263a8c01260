// SPDX-License-Identifier: Apache-2.0
// What a cgroup path says about who made it: systemd, a container runtime, kubelet.
//
//   ClassifyCgroup("/system.slice/nginx.service")  → service, unit "nginx.service"
//   ClassifyCgroup("/docker/<64 hex>")             → container, id, runtime "docker"
//
// Names only, no look at the system: a path can be forged by whoever may make
// cgroups there. The name of a Kubernetes pod is not in the path, its uid is.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace pagewarden {

struct CgroupIdentity {
  // Of the last component: root, slice, service, scope, container, pod, machine or cgroup.
  std::string kind;
  std::string unit;  // the last component, where it is a systemd unit

  // Of the innermost enclosing one, or empty; what is nested in a container keeps
  // the container, unless it is one again.
  std::string pod;        // uid of a Kubernetes pod, id of a Podman pod
  std::string qos;        // of a Kubernetes pod: guaranteed, burstable or besteffort
  std::string container;  // id, or the name of an LXC container
  std::string runtime;  // of the container: docker, containerd, cri-o, podman or lxc; may be empty
  std::string machine;  // systemd-nspawn or libvirt, as machinectl(1) shows it
  std::string session;  // of logind: N of session-N.scope
  std::optional<uid_t> user;  // UID of user-UID.slice and user@UID.service
};

CgroupIdentity ClassifyCgroup(absl::string_view path);

// The path with container ids cut to the 12 digits that `docker ps` and its like show.
std::string ShortCgroupPath(absl::string_view path);

}  // namespace pagewarden
