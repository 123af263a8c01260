// SPDX-License-Identifier: Apache-2.0
// Which processes a policy, a budget or an exception is for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "agent/policy/diagnostics.h"

namespace pagewarden {

// Where a part of a policy was written; for errors.
struct Located {
  Position at;
};

struct NamespaceSelector : Located {
  std::vector<std::string> match_names;
};

struct PodSelector : Located {
  std::map<std::string, std::string> match_labels;
};

// A process is selected if it fits each of the keys that are there: one of a list is
// enough. No keys: every process.
struct ProcessSelector : Located {
  std::vector<std::string> match_binaries;  // absolute paths
  std::vector<std::string> match_units;     // patterns: of any service or scope on its cgroup path
  std::vector<std::string> match_slices;    // patterns: of any slice on its cgroup path
  std::vector<std::string> match_cgroups;   // patterns: of its cgroup, or one above
  std::optional<NamespaceSelector> namespaces;
  std::optional<PodSelector> pods;

  // Whether a process must be looked at for more than its program.
  bool AsksForCgroup() const;
  bool IsEmpty() const { return match_binaries.empty() && !AsksForCgroup(); }
};

// Processes that are left out, until a day has passed (UTC).
struct Exception : ProcessSelector {
  std::string reason;
  absl::CivilDay expires;
};

}  // namespace pagewarden
