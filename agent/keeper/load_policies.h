// SPDX-License-Identifier: Apache-2.0
// All policies of the drop-in directories, whole, or all the reasons why not.
#pragma once

#include <string>
#include <vector>

#include "agent/keeper/policy_status.h"
#include "agent/policy/effective_mode.h"
#include "agent/policy/model.h"

namespace pagewarden {

struct PolicySources {
  std::vector<std::string> directories;  // the later ones hide files of the earlier ones
  std::string presets;                   // directory of the shipped ones
  std::optional<abi::Mode> max_mode;
  std::string override_path;  // one word in a file (agent/policy/effective_mode.h)
};

struct LoadedPolicies {
  PolicySet set;                      // resolved; modes are effective ones
  std::vector<LoadedPolicy> loaded;   // by kind, then name
  std::string hash;                   // of the whole set
  std::vector<std::string> errors;    // not empty: the rest must not be used
  std::vector<std::string> warnings;  // in the same form
};

LoadedPolicies LoadPolicies(const PolicySources& sources);

}  // namespace pagewarden
