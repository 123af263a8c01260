// SPDX-License-Identifier: Apache-2.0
// What `pagewarden agent` was asked for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/metrics/cgroup_labels.h"
#include "preload/abi/policy_image.h"

namespace pagewarden {

struct AgentOptions {
  std::vector<std::string> policy_dirs;  // later ones hide files of earlier ones
  std::string state_dir;                 // made when missing; the one above it is there
  std::string runtime_dir;               // likewise
  std::string listen;                    // "127.0.0.1:9876"; empty: no TCP
  std::string socket_path;
  absl::Duration interval = absl::Seconds(1);
  absl::Duration verify_every = absl::Minutes(10);
  std::optional<abi::Mode> max_mode;
  size_t max_cgroups = 200;  // with metrics of their own
  CgroupLabels cgroup_labels;
  std::string cgroup;  // report only this one and those below; empty: all
  bool trace_syscalls = false;
  std::string shim_path;
  std::string shipped;  // directory of the shipped policies; presets/ is below
};

inline constexpr char kDefaultListen[] = "127.0.0.1:9876";

// Directories of the agent of this user: /run/pagewarden and /var/lib/pagewarden for root.
std::string DefaultRuntimeDir();
std::string DefaultStateDir();

// Of the agent whose runtime directory it is.
std::string SocketIn(const std::string& runtime_dir);

}  // namespace pagewarden
