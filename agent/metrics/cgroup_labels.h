// SPDX-License-Identifier: Apache-2.0
// Which labels the series of a cgroup have beside `cgroup`, which tells them apart and stays.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/metrics/cgroup_figures.h"

namespace pagewarden {

// A label that is left out is left out of every series of every cgroup, so that none become
// one: sums stay what they are. Budgets of Kubernetes namespaces keep `namespace`, which is
// all that tells those apart.
struct CgroupLabels {
  bool kube_namespace = true;
  bool pod = true;
  bool container = true;
};

// "namespace,pod,container" or fewer of them; empty: none. InvalidArgument: another word, or
// one twice.
absl::StatusOr<CgroupLabels> ParseCgroupLabels(absl::string_view text);

// Takes those that are not kept out of the figures.
void KeepLabels(const CgroupLabels& kept, std::vector<CgroupFigures>& cgroups);

}  // namespace pagewarden
