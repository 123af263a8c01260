// SPDX-License-Identifier: Apache-2.0
// What a cgroup path says about who made it: systemd, a container runtime, kubelet.
//
//   ClassifyCgroup("/system.slice/nginx.service")  → service, unit "nginx.service"
//   ClassifyCgroup("/docker/<64 hex>")             → container, id
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace pagewarden {

struct CgroupIdentity {
  // Of the last component: root, slice, service, scope, container, pod or cgroup.
  std::string kind;
  std::string unit;       // the last component, where it is a systemd unit
  std::string pod;        // uid of the innermost enclosing pod, or empty
  std::string container;  // id of the innermost enclosing container, or empty
};

// Container forms: docker-, cri-containerd-, libpod- and crio- scopes, /docker/ID,
// ID below a kubelet pod, lxc.payload.NAME.
CgroupIdentity ClassifyCgroup(absl::string_view path);

}  // namespace pagewarden
