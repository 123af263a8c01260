// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/environment/environment.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/cgroup/classify.h"
#include "agent/proc/read_file.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxTextBytes = 64 << 10;
// PROC_PID_INIT_INO of the kernel (include/linux/proc_ns.h).
constexpr char kInitialPidNamespace[] = "pid:[4026531836]";

struct Kind {
  EnvironmentKind kind;
  const char* description;
  bool (*detect)(const EnvironmentFacts&, absl::string_view, Environment&);
  std::vector<Fix> (*fixes)(const Environment&, const LimitGoal&);
};

// Containers first: their runtime, not the unit it runs in, sets the limit.
constexpr Kind kKinds[] = {
    {EnvironmentKind::kCrio, "container of CRI-O", DetectCrio, CrioLimitFixes},
    {EnvironmentKind::kPodman, "container of Podman", DetectPodman, PodmanLimitFixes},
    {EnvironmentKind::kContainerd, "container of containerd", DetectContainerd,
     ContainerdLimitFixes},
    {EnvironmentKind::kDocker, "container of Docker", DetectDocker, DockerLimitFixes},
    {EnvironmentKind::kLxc, "container of LXC", DetectLxc, LxcLimitFixes},
    {EnvironmentKind::kUserSession, "user session", DetectUserSession, UserSessionLimitFixes},
    {EnvironmentKind::kLogin, "login session", DetectLogin, LoginLimitFixes},
    {EnvironmentKind::kService, "systemd service", DetectService, ServiceLimitFixes},
    {EnvironmentKind::kPlain, "no service or container", nullptr, PlainLimitFixes},
};

const Kind& KindOf(EnvironmentKind kind) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds),
                       [kind](const Kind& candidate) { return candidate.kind == kind; });
}

// How much a path says: v2 and the named hierarchy of systemd before the controllers.
int Rank(absl::string_view controllers) {
  if (controllers.empty()) return 0;
  if (controllers == "name=systemd") return 1;
  return controllers == "memory" ? 2 : 3;
}

std::vector<std::string> CgroupPaths(const std::string& text) {
  std::vector<std::pair<int, std::string>> ranked;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() == 3) ranked.emplace_back(Rank(fields[1]), std::string(fields[2]));
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> paths;
  for (auto& [rank, path] : ranked) paths.push_back(std::move(path));
  return paths;
}

// The first process of a container carries `container=lxc` (lxc, systemd-nspawn).
std::string ContainerVariable(const std::string& process) {
  const std::string environment =
      ReadBoundedFile(absl::StrCat(process, "/root/proc/1/environ"), kMaxTextBytes).value_or("");
  for (absl::string_view variable : absl::StrSplit(environment, '\0')) {
    if (absl::ConsumePrefix(&variable, "container=")) return std::string(variable);
  }
  return "";
}

}  // namespace

EnvironmentFacts ReadEnvironmentFacts(pid_t pid, const std::string& cgroup_text, uid_t uid,
                                      bool in_initial_user_ns) {
  const std::string process = absl::StrCat("/proc/", pid);
  EnvironmentFacts facts;
  facts.cgroups = CgroupPaths(cgroup_text);
  facts.in_initial_user_ns = in_initial_user_ns;
  facts.uid = uid;
  // Virtual machines made of an image have its files, too, and no namespace.
  if (ReadLink(absl::StrCat(process, "/ns/pid")).value_or("") == kInitialPidNamespace) return facts;
  facts.has_dockerenv = access(absl::StrCat(process, "/root/.dockerenv").c_str(), F_OK) == 0;
  const auto containerenv =
      ReadBoundedFile(absl::StrCat(process, "/root/run/.containerenv"), kMaxTextBytes);
  facts.has_containerenv = containerenv.ok();
  facts.containerenv = containerenv.value_or("");
  facts.container_variable = ContainerVariable(process);
  return facts;
}

Environment DetectEnvironment(const EnvironmentFacts& facts) {
  Environment found;
  found.has_own_user_ns = !facts.in_initial_user_ns;
  found.is_root = facts.uid == 0;
  found.uid = facts.uid;
  std::vector<std::string> cgroups = facts.cgroups;
  if (cgroups.empty()) cgroups.push_back("/");
  for (const Kind& kind : kKinds) {
    if (kind.detect == nullptr) continue;
    for (const std::string& cgroup : cgroups) {
      if (kind.detect(facts, cgroup, found)) return found;
    }
  }
  return found;
}

std::string Describe(const Environment& environment) {
  const std::string description = KindOf(environment.kind).description;
  return environment.name.empty() ? description : absl::StrCat(description, " ", environment.name);
}

std::vector<Fix> LimitFixes(const Environment& environment, const LimitGoal& goal) {
  return KindOf(environment.kind).fixes(environment, goal);
}

}  // namespace pagewarden
