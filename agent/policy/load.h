// SPDX-License-Identifier: Apache-2.0
// From files to policies that are complete and fit together, or to all the
// reasons why not.
//
//   Diagnostics diagnostics;
//   PolicySet set;
//   LoadPath("/etc/pagewarden/policy.d", set, diagnostics);
//   ResolveReferences(set, diagnostics);
//   if (!diagnostics.empty()) std::cerr << diagnostics.Render();
#pragma once

#include <string>
#include <vector>

#include "agent/policy/model.h"
#include "agent/policy/yaml_tree.h"

namespace pagewarden {

// Appends what one source text defines; to `documents`, if not null, as it was written.
void LoadSource(const std::shared_ptr<const Source>& source, PolicySet& set,
                Diagnostics& diagnostics, std::vector<YamlNode>* documents = nullptr);

// Appends what a file defines, or each *.yaml and *.yml file of a directory by
// name, not descending. Only trusted files are read (agent/base/files.h).
void LoadPath(const std::string& path, PolicySet& set, Diagnostics& diagnostics,
              std::vector<YamlNode>* documents = nullptr);

// The *.yaml and *.yml files of a directory by name, not descending and without
// those whose name starts with a dot.
std::vector<std::string> PolicyFilesIn(const std::string& directory, Diagnostics& diagnostics);

}  // namespace pagewarden
