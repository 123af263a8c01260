// SPDX-License-Identifier: Apache-2.0
// What changes between two sets of policies, not how it is written: defaults count as
// if they were spelled out, 8192 is 8Ki, and order counts where it means something.
#pragma once

#include <string>
#include <vector>

#include "agent/policy/yaml_tree.h"

namespace pagewarden {

struct FieldChange {
  std::string path;    // "spec.arenas[tls-keys].capacity"
  std::string before;  // empty: it was not there
  std::string after;   // empty: it is gone
};

struct PolicyChange {
  enum class What { kAdded, kRemoved, kChanged };
  What what = What::kChanged;
  std::string kind;
  std::string name;
  std::vector<FieldChange> fields;  // kChanged
};

// Of documents that were read without errors. By kind and name.
std::vector<PolicyChange> DiffPolicies(const std::vector<YamlNode>& before,
                                       const std::vector<YamlNode>& after);

// The same for all ways to write a document without errors, and different where DiffPolicies
// would name a change. Lines of text; the kind and the name are in it.
std::string CanonicalText(const YamlNode& document);

}  // namespace pagewarden
