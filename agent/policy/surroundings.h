// SPDX-License-Identifier: Apache-2.0
// What is known of a process and of its host, as selectors ask for it.
//
// Of Kubernetes, a host knows more than the cgroup path only from files that the
// kubelet writes: /var/log/pods/NAMESPACE_NAME_UID for each pod, and
// /var/lib/kubelet/pods/UID/volumes/kubernetes.io~downward-api/VOLUME/labels for
// those that mount their labels. What is not there is unknown.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "agent/cgroup/hierarchy.h"

namespace pagewarden {

struct PodFacts {
  std::string kube_namespace;
  std::string name;
  std::optional<std::map<std::string, std::string>> labels;

  bool operator==(const PodFacts& other) const {
    return kube_namespace == other.kube_namespace && name == other.name && labels == other.labels;
  }
};

// Pods by their uid. Thread-safe: const once read.
class PodTable {
 public:
  // `root`: of a fixture tree; empty: the real one. No kubelet: an empty table.
  static PodTable Read(const std::string& root = "");

  // Null: not known.
  const PodFacts* Find(const std::string& uid) const;

  bool operator==(const PodTable& other) const { return pods_ == other.pods_; }

 private:
  std::map<std::string, PodFacts> pods_;
};

struct Surroundings {
  std::string executable;             // as /proc/PID/exe shows it; empty: unknown
  std::optional<std::string> cgroup;  // path
  std::optional<PodFacts> pod;        // in no pod, or not known
};

// What can be read of a process; a part that cannot be is left unknown.
Surroundings ReadSurroundings(pid_t pid, const CgroupHierarchy& hierarchy, const PodTable& pods);

// The same, of a cgroup, for whatever runs in it.
Surroundings FactsOfCgroup(const std::string& cgroup, const PodTable& pods);

// Of the running process, its program left unknown: what it starts inherits these.
Surroundings ReadOwnSurroundings();

struct HostIdentity {
  std::string machine_id;  // machine-id(5); empty: none
  absl::CivilDay today;    // UTC
};

HostIdentity ReadHostIdentity(const std::string& root = "");

// The lines KEY="VALUE" of a downward API file; other lines are skipped.
std::map<std::string, std::string> ParsePodLabels(absl::string_view text);

}  // namespace pagewarden
