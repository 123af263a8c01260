// SPDX-License-Identifier: Apache-2.0
// Who started a process, and so where its limits and capabilities come from. One
// file an environment: how it is recognised, and how a limit is raised there.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/doctor/finding.h"

namespace pagewarden {

enum class EnvironmentKind {
  kPlain,
  kService,
  kUserSession,
  kLogin,
  kDocker,
  kPodman,
  kContainerd,
  kCrio,
  kLxc,
};

// What tells the environment.
struct EnvironmentFacts {
  std::vector<std::string> cgroups;  // of all hierarchies, the most telling first
  bool has_dockerenv = false;        // /.dockerenv in its root
  std::string containerenv;          // text of /run/.containerenv; "" there is none
  bool has_containerenv = false;
  std::string container_variable;  // `container` of its pid namespace's first process
  bool in_initial_user_ns = true;
  uid_t uid = 0;
};

struct Environment {
  EnvironmentKind kind = EnvironmentKind::kPlain;
  std::string name;              // of the unit or the container; may be empty
  std::string user;              // whose session it is, by name where it is known
  bool has_own_user_ns = false;  // no capability counts: only the limit helps
  bool is_root = false;          // effective uid 0
  uid_t uid = 0;                 // effective
  gid_t gid = 0;
  std::string image_root;                     // units of an image: where it lies; else empty
  bool boundingset_without_ipc_lock = false;  // unit's CapabilityBoundingSet=
};

// What a fix is for.
struct LimitGoal {
  uint64_t bytes = 0;            // of RLIMIT_MEMLOCK, a multiple of the page size
  std::optional<pid_t> pid;      // of the running process
  std::string command;           // quoted for a shell; empty: none
  bool capability_helps = true;  // for the mechanism: not so for some counters
};

Environment DetectEnvironment(const EnvironmentFacts& facts);

// The facts of a process; what cannot be read is left as if it were not there.
EnvironmentFacts ReadEnvironmentFacts(pid_t pid, const std::string& cgroup_text, uid_t uid,
                                      bool in_initial_user_ns);

// "systemd service nginx.service", "container of Docker 1f2e3d4c5b6a".
std::string Describe(const Environment& environment);

// How to raise RLIMIT_MEMLOCK there, the least privilege first; last, where it helps,
// how to get CAP_IPC_LOCK. Never a file capability, never a privileged container.
std::vector<Fix> LimitFixes(const Environment& environment, const LimitGoal& goal);

// A drop-in of a unit with these settings of [Service], and what makes it count.
Fix UnitDropIn(const Environment& environment, const std::string& file_name,
               const std::string& settings, const std::string& summary);

// Starts `command` with an ambient CAP_IPC_LOCK as the user of the environment.
std::string WithAmbientIpcLock(const Environment& environment, const std::string& command);

// Those of one kind each; `cgroup` is one of facts.cgroups.
bool DetectService(const EnvironmentFacts& facts, absl::string_view cgroup, Environment& found);
bool DetectUserSession(const EnvironmentFacts& facts, absl::string_view cgroup, Environment& found);
bool DetectLogin(const EnvironmentFacts& facts, absl::string_view cgroup, Environment& found);
bool DetectDocker(const EnvironmentFacts& facts, absl::string_view cgroup, Environment& found);
bool DetectPodman(const EnvironmentFacts& facts, absl::string_view cgroup, Environment& found);
bool DetectContainerd(const EnvironmentFacts& facts, absl::string_view cgroup, Environment& found);
bool DetectCrio(const EnvironmentFacts& facts, absl::string_view cgroup, Environment& found);
bool DetectLxc(const EnvironmentFacts& facts, absl::string_view cgroup, Environment& found);

std::vector<Fix> PlainLimitFixes(const Environment& environment, const LimitGoal& goal);
std::vector<Fix> ServiceLimitFixes(const Environment& environment, const LimitGoal& goal);
std::vector<Fix> UserSessionLimitFixes(const Environment& environment, const LimitGoal& goal);
std::vector<Fix> LoginLimitFixes(const Environment& environment, const LimitGoal& goal);
std::vector<Fix> DockerLimitFixes(const Environment& environment, const LimitGoal& goal);
std::vector<Fix> PodmanLimitFixes(const Environment& environment, const LimitGoal& goal);
std::vector<Fix> ContainerdLimitFixes(const Environment& environment, const LimitGoal& goal);
std::vector<Fix> CrioLimitFixes(const Environment& environment, const LimitGoal& goal);
std::vector<Fix> LxcLimitFixes(const Environment& environment, const LimitGoal& goal);

}  // namespace pagewarden
