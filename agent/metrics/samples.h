// SPDX-License-Identifier: Apache-2.0
// The values of one scrape, and their text.
//
//   Samples samples;
//   samples.Add(Metric::kCgroupLocked, {"/system.slice", "", "", ""}, 8192);
//   std::string text = samples.Text(MetricsFormat::kText);
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/daemon/host_view.h"
#include "agent/metrics/exposition.h"
#include "agent/metrics/families.h"

namespace pagewarden {

class Samples {
 public:
  Samples();

  // `labels`: values in the order of the family's, of any bytes. A second sample with the
  // same labels (after they were made valid) is dropped: no scraper takes both.
  void Add(Metric metric, std::vector<std::string> labels, double value);
  void AddHistogram(Metric metric, const DurationCounts& counts);

  // Families without a sample are left out. By family, then by labels: two scrapes of the
  // same values are equal.
  std::string Text(MetricsFormat format) const;

 private:
  struct Sample {
    std::string labels;  // "{a=\"b\"}", or empty
    double value = 0;
  };
  void AppendFamily(size_t index, MetricsFormat format, std::string& text) const;

  std::vector<std::vector<Sample>> families_;  // by Metric
  std::vector<std::pair<Metric, DurationCounts>> histograms_;
};

// Valid UTF-8 without control characters but newline: each byte that breaks it becomes
// U+FFFD. At most 512 bytes, with a hash of the rest where it is longer.
std::string CleanLabel(absl::string_view value);

// "+Inf", "42", "0.25": the shortest text that reads back as the same value.
std::string FormatValue(double value);

}  // namespace pagewarden
