// SPDX-License-Identifier: Apache-2.0
// The policies in the source tree load, and name functions that exist.
#include <gmock/gmock.h>

#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

PolicySet LoadShipped(Diagnostics& diagnostics) {
  PolicySet set;
  for (const std::string& directory : {ShippedPolicies() + "/presets", ShippedPolicies()}) {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      if (entry.path().extension() != ".yaml") continue;
      LoadText(entry.path().string(), ReadFile(entry.path().string()), set, diagnostics);
    }
  }
  ResolveReferences(set, diagnostics);
  return set;
}

TEST(ShippedPolicies, LoadClean) {
  Diagnostics diagnostics;
  const PolicySet set = LoadShipped(diagnostics);
  EXPECT_EQ(diagnostics.Render(), "");
  EXPECT_GE(set.policies.size(), 1u);
  EXPECT_GE(set.presets.size(), 1u);
  for (const AllocationPolicy& policy : set.policies) {
    EXPECT_FALSE(policy.spec.selector.match_binaries.empty()) << policy.metadata.name;
  }
}

// The text between each "```yaml" and the next "```" of a document.
std::vector<std::string> YamlExamples(const std::string& document) {
  std::vector<std::string> examples;
  const std::string open = "```yaml\n";
  for (size_t at = document.find(open); at != std::string::npos; at = document.find(open, at)) {
    at += open.size();
    examples.push_back(document.substr(at, document.find("```", at) - at));
  }
  return examples;
}

TEST(PolicyReference, ExamplesLoadClean) {
  const std::vector<std::string> examples = YamlExamples(ReadFile(SOURCE_ROOT "/docs/policy.md"));
  EXPECT_GE(examples.size(), 2u);
  for (const std::string& example : examples) {
    const PolicySet set = LoadValid(example);
    EXPECT_EQ(set.policies.size() + set.budgets.size(), 1u);
  }
}

}  // namespace
}  // namespace pagewarden
