// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/samples.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "agent/metrics/label_text.h"

namespace pagewarden {
namespace {

size_t IndexOf(Metric metric) { return static_cast<size_t>(metric); }

std::string LabelsText(const MetricFamily& family, const std::vector<std::string>& values) {
  std::string text;
  for (size_t i = 0; i < std::min(values.size(), family.labels.size()); ++i) {
    if (values[i].empty()) continue;
    absl::StrAppend(&text, text.empty() ? "{" : ",", family.labels[i], "=\"",
                    EscapeLabel(CleanLabel(values[i])), "\"");
  }
  return text.empty() ? text : text + "}";
}

// In OpenMetrics a counter's family has the name without "_total".
absl::string_view FamilyName(const MetricFamily& family, MetricsFormat format) {
  const bool cut = format == MetricsFormat::kOpenMetrics && family.type == MetricType::kCounter;
  return cut ? absl::StripSuffix(family.name, "_total") : family.name;
}

void AppendHead(const MetricFamily& family, MetricsFormat format, std::string& text) {
  const absl::string_view name = FamilyName(family, format);
  absl::StrAppend(&text, "# HELP ", name, " ", EscapeHelp(family.help), "\n# TYPE ", name, " ",
                  TypeWord(family.type), "\n");
}

void AppendHistogram(const char* name, const DurationCounts& durations, std::string& text) {
  uint64_t count = 0;
  for (size_t i = 0; i < std::size(durations.counts); ++i) {
    count += durations.counts[i];
    const bool last = i == std::size(DurationCounts::kBounds);
    const double bound =
        last ? std::numeric_limits<double>::infinity() : DurationCounts::kBounds[i];
    absl::StrAppend(&text, name, "_bucket{le=\"", FormatBound(bound), "\"} ", count, "\n");
  }
  absl::StrAppend(&text, name, "_sum ", FormatValue(durations.sum_seconds), "\n", name, "_count ",
                  count, "\n");
}

}  // namespace

Samples::Samples() : families_(MetricFamilies().size()) {}

void Samples::Add(Metric metric, std::vector<std::string> labels, double value) {
  families_[IndexOf(metric)].push_back({LabelsText(FamilyOf(metric), labels), value});
}

void Samples::AddHistogram(Metric metric, const DurationCounts& counts) {
  histograms_.emplace_back(metric, counts);
}

void Samples::AppendFamily(size_t index, MetricsFormat format, std::string& text) const {
  std::vector<Sample> samples = families_[index];
  if (samples.empty()) return;
  std::stable_sort(samples.begin(), samples.end(),
                   [](const Sample& a, const Sample& b) { return a.labels < b.labels; });
  samples.erase(std::unique(samples.begin(), samples.end(),
                            [](const Sample& a, const Sample& b) { return a.labels == b.labels; }),
                samples.end());
  const MetricFamily& family = MetricFamilies()[index];
  AppendHead(family, format, text);
  for (const Sample& sample : samples) {
    absl::StrAppend(&text, family.name, sample.labels, " ", FormatValue(sample.value), "\n");
  }
}

std::string Samples::Text(MetricsFormat format) const {
  std::string text;
  for (size_t i = 0; i < families_.size(); ++i) {
    AppendFamily(i, format, text);
    for (const auto& [metric, counts] : histograms_) {
      if (IndexOf(metric) != i) continue;
      AppendHead(MetricFamilies()[i], format, text);
      AppendHistogram(MetricFamilies()[i].name, counts, text);
    }
  }
  if (format == MetricsFormat::kOpenMetrics) text += "# EOF\n";
  return text;
}

}  // namespace pagewarden
