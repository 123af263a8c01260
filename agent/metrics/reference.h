// SPDX-License-Identifier: Apache-2.0
// The list of metrics as docs/metrics.md and tests want it.
#pragma once

#include <string>

namespace pagewarden {

// What stands in docs/metrics.md between these two lines, checked by a test.
inline constexpr char kMetricsStart[] = "<!-- pagewarden metrics --markdown: start -->\n";
inline constexpr char kMetricsEnd[] = "<!-- pagewarden metrics --markdown: end -->\n";

std::string MetricsMarkdown();
// {"schemaVersion", "metrics": [{"name", "type", "labels", "help", "inSnapshot"}]}
std::string MetricsJson();
// Name, type and labels, a metric a line.
std::string MetricsPlain();

}  // namespace pagewarden
