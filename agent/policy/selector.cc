// SPDX-License-Identifier: Apache-2.0
#include "agent/policy/selector.h"

#include "agent/policy/selector_schema.h"

namespace pagewarden {

bool ProcessSelector::AsksForCgroup() const {
  return !match_units.empty() || !match_slices.empty() || !match_cgroups.empty() ||
         namespaces.has_value() || pods.has_value();
}

void ReadException(const YamlNode& node, Exception& exception, Diagnostics& diagnostics) {
  const size_t errors = diagnostics.count();
  ReadObject<kExceptionFields>(node, exception, diagnostics);
  if (diagnostics.count() != errors || !exception.IsEmpty()) return;
  diagnostics.Add(node.at, PolicyError::kMissing, "the exception does not say for which processes",
                  "add matchBinaries, matchUnits, matchSlices or matchCgroups");
}

ValueType DescribeException() {
  ValueType type = DescribeObject<kExceptionFields>();
  for (const Field<Exception>& field : kSelectorFields<Exception>)
    type.some_of.push_back(field.key);
  return type;
}

}  // namespace pagewarden
