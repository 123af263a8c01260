// SPDX-License-Identifier: Apache-2.0
// Drop-in directories of policies, as systemd has them for units: a file in a later
// directory hides the one of the same name in an earlier one. A link to /dev/null,
// or an empty file, hides it and adds nothing.
#pragma once

#include <string>
#include <vector>

#include "agent/policy/model.h"
#include "agent/policy/yaml_tree.h"

namespace pagewarden {

// /usr/lib/pagewarden/policy.d, /etc/pagewarden/policy.d, /run/pagewarden/policy.d:
// the packages', the operator's, those of the moment.
std::vector<std::string> DefaultPolicyDirectories();

struct DropIn {
  std::string path;
  std::vector<std::string> hidden;  // paths of the same name in earlier directories
  bool is_mask = false;
};

// All *.yaml and *.yml files by name, masks among them; names that start with a dot
// are left out, such as those of a ConfigMap's own directories. Directories that are
// not there are left out; errors of others go to `diagnostics`.
std::vector<DropIn> ListDropIns(const std::vector<std::string>& directories,
                                Diagnostics& diagnostics);

// Loads those that are no masks; to `documents`, if not null, as they were written. None
// at all is no error.
void LoadDropIns(const std::vector<std::string>& directories, PolicySet& set,
                 Diagnostics& diagnostics, std::vector<YamlNode>* documents = nullptr);

}  // namespace pagewarden
