// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "agent/metrics/families.h"
#include "agent/metrics/reference.h"

namespace pagewarden {
namespace {

TEST(MetricsReferenceTest, FamiliesAreInTheOrderOfTheirNumbers) {
  for (size_t i = 0; i < MetricFamilies().size(); ++i) {
    EXPECT_EQ(static_cast<size_t>(MetricFamilies()[i].metric), i) << MetricFamilies()[i].name;
  }
  EXPECT_EQ(MetricFamilies().size(), static_cast<size_t>(Metric::kProcessThreads) + 1);
}

TEST(MetricsReferenceTest, NamesFollowThePrometheusRules) {
  std::set<std::string> names;
  const std::regex form("(pagewarden|process)_[a-z0-9_]+");
  for (const MetricFamily& family : MetricFamilies()) {
    const std::string name = family.name;
    EXPECT_TRUE(std::regex_match(name, form)) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
    const bool is_total = name.size() > 6 && name.substr(name.size() - 6) == "_total";
    EXPECT_EQ(is_total, family.type == MetricType::kCounter) << name;
    EXPECT_FALSE(std::string(family.help).empty()) << name;
    for (const std::string label : family.labels) {
      EXPECT_TRUE(label != "pid" && label != "comm" && label != "address") << name;
    }
  }
}

TEST(MetricsReferenceTest, TheDocumentHoldsTheTable) {
  std::ifstream file(SOURCE_ROOT "/docs/metrics.md");
  const std::string document{std::istreambuf_iterator<char>(file), {}};
  const size_t start = document.find(kMetricsStart);
  const size_t end = document.find(kMetricsEnd);
  ASSERT_NE(start, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const size_t from = start + sizeof(kMetricsStart) - 1;
  EXPECT_EQ(document.substr(from, end - from), "\n" + MetricsMarkdown() + "\n")
      << "write it anew with: pagewarden metrics --markdown";
}

}  // namespace
}  // namespace pagewarden
