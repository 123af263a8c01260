// SPDX-License-Identifier: Apache-2.0
// All fields of the language by their path: for completion, and to look one up.
#pragma once

#include <string>
#include <vector>

#include "agent/policy/value_type.h"

namespace pagewarden {

struct FieldPath {
  std::string kind;  // "AllocationPolicy"
  std::string path;  // "spec.arenas[].capacity"
  FieldType field;
};

// Each kind's, in the order of the tables; what is in maps and in lists of maps, too.
std::vector<FieldPath> AllFieldPaths();

// Those that somebody means by `name`: a path, with or without brackets and its first
// parts ("arenas.capacity", "capacity"). Empty: none.
std::vector<FieldPath> FindFields(const std::string& name);

// "quantity, multiple of 4Ki, 4Ki to 1Gi".
std::string DescribeType(const ValueType& type);

}  // namespace pagewarden
