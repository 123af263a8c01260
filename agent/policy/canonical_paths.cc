// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/canonical_paths.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace pagewarden {
namespace {

void AddCanonicalPaths(ProcessSelector& selector) {
  std::vector<std::string>& binaries = selector.match_binaries;
  const std::vector<std::string> written = binaries;
  for (const std::string& path : written) {
    std::error_code error;
    const std::string canonical = std::filesystem::canonical(path, error).string();
    if (error || std::find(binaries.begin(), binaries.end(), canonical) != binaries.end()) continue;
    binaries.push_back(canonical);
  }
}

}  // namespace

void AddCanonicalPaths(PolicySet& set) {
  for (AllocationPolicy& policy : set.policies) {
    AddCanonicalPaths(policy.spec.selector);
    for (Exception& exception : policy.spec.exceptions) AddCanonicalPaths(exception);
  }
  for (MemlockBudget& document : set.budgets) {
    for (Budget& budget : document.spec.budgets) {
      AddCanonicalPaths(budget.selector);
      for (Exception& exception : budget.exceptions) AddCanonicalPaths(exception);
    }
  }
}

}  // namespace pagewarden
