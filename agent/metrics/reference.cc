// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/reference.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agent/metrics/families.h"

namespace pagewarden {
namespace {

constexpr int kSchemaVersion = 1;

std::string Code(const std::string& text) { return absl::StrCat("`", text, "`"); }

std::string Row(const MetricFamily& family) {
  std::vector<std::string> labels;
  for (const char* label : family.labels) labels.push_back(Code(label));
  const std::string example = *family.example == '\0' ? "" : Code(family.example);
  const std::vector<std::string> cells = {Code(family.name),
                                          TypeWord(family.type),
                                          absl::StrJoin(labels, ", "),
                                          family.help,
                                          family.source,
                                          absl::StrReplaceAll(example, {{"|", "\\|"}}),
                                          family.in_snapshot ? "yes" : ""};
  return absl::StrCat("| ", absl::StrJoin(cells, " | "), " |\n");
}

}  // namespace

std::string MetricsMarkdown() {
  std::string text =
      "| Metric | Type | Labels | Meaning | Source | Example | Textfile |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const MetricFamily& family : MetricFamilies()) text += Row(family);
  return text;
}

std::string MetricsJson() {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const MetricFamily& family : MetricFamilies()) {
    list.push_back({{"name", family.name},
                    {"type", TypeWord(family.type)},
                    {"labels", family.labels},
                    {"help", family.help},
                    {"inSnapshot", family.in_snapshot}});
  }
  const nlohmann::ordered_json json = {{"schemaVersion", kSchemaVersion}, {"metrics", list}};
  return json.dump(2) + "\n";
}

std::string MetricsPlain() {
  std::string text;
  for (const MetricFamily& family : MetricFamilies()) {
    absl::StrAppend(&text, family.name, "\t", TypeWord(family.type), "\t",
                    absl::StrJoin(family.labels, ","), "\n");
  }
  return text;
}

}  // namespace pagewarden
