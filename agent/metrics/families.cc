// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/families.h"

#include <iterator>

#include "agent/metrics/family_tables.h"

namespace pagewarden {

const std::vector<MetricFamily>& MetricFamilies() {
  static const auto* const families = [] {
    auto* all = new std::vector<MetricFamily>(CgroupFamilies());
    for (const auto& part : {PolicyFamilies(), AgentFamilies()}) {
      all->insert(all->end(), part.begin(), part.end());
    }
    return all;
  }();
  return *families;
}

const MetricFamily& FamilyOf(Metric metric) {
  return MetricFamilies()[static_cast<size_t>(metric)];
}

const char* TypeWord(MetricType type) {
  switch (type) {
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kCounter:
      return "counter";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace pagewarden
