// SPDX-License-Identifier: Apache-2.0
// The policy language: its versions and kinds. The fields of each kind are in
// allocation_schema.cc, budget_schema.cc and selector_schema.h.
#pragma once

#include <string>
#include <vector>

#include "agent/policy/model.h"
#include "agent/policy/value_type.h"
#include "agent/policy/yaml_tree.h"

namespace pagewarden {

inline constexpr char kApiVersion[] = "pagewarden/v1alpha1";

// Appends what `document` defines to `set`, references not yet resolved.
void ReadDocument(const YamlNode& document, PolicySet& set, Diagnostics& diagnostics);

struct KindType {
  std::string name;
  std::string text;  // what it is for
  ValueType document;
};

// All that ReadDocument accepts.
std::vector<KindType> DescribeKinds();

}  // namespace pagewarden
