// SPDX-License-Identifier: Apache-2.0
#include "agent/fleet/host_table.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

// Prometheus renames a metric's label to exported_… where the target has it too.
bool IsOfMetric(absl::string_view label) {
  constexpr absl::string_view kOwn[] = {"__name__", "arena",  "cgroup",    "container", "fenced",
                                        "hash",     "mode",   "namespace", "pod",       "policy",
                                        "program",  "reason", "rule",      "source",    "version",
                                        "revision", "what"};
  return std::find(std::begin(kOwn), std::end(kOwn), label) != std::end(kOwn) ||
         absl::StartsWith(label, "exported_");
}

std::string LabelOf(const FleetHost& host, absl::string_view name) {
  for (const auto& [label, value] : host.labels) {
    if (label == name) return value;
  }
  return "";
}

// `{cluster="eu"}`: the labels of `host` that the others of its instance do not share.
std::string Difference(const FleetHost& host, const std::vector<const FleetHost*>& namesakes) {
  std::string result;
  for (const auto& [label, value] : host.labels) {
    const bool shared =
        std::all_of(namesakes.begin(), namesakes.end(),
                    [&](const FleetHost* other) { return LabelOf(*other, label) == value; });
    if (!shared) absl::StrAppend(&result, result.empty() ? "" : ",", label, "=\"", value, "\"");
  }
  return absl::StrCat("{", result, "}");
}

}  // namespace

size_t HostTable::IndexOf(const SampleLabels& labels) {
  std::string key;
  for (const auto& [name, value] : labels.pairs()) {
    if (!IsOfMetric(name)) absl::StrAppend(&key, name.size(), ":", name, value.size(), ":", value);
  }
  const auto [entry, added] = index_.emplace(std::move(key), hosts_.size());
  if (added) {
    FleetHost& host = hosts_.emplace_back();
    for (const auto& pair : labels.pairs()) {
      if (!IsOfMetric(pair.first)) host.labels.push_back(pair);
    }
  }
  return entry->second;
}

std::vector<FleetHost> HostTable::Finish() && {
  std::unordered_map<std::string, std::vector<const FleetHost*>> by_instance;
  for (const FleetHost& host : hosts_) by_instance[LabelOf(host, "instance")].push_back(&host);
  for (FleetHost& host : hosts_) {
    const std::string instance = LabelOf(host, "instance");
    const auto& namesakes = by_instance[instance];
    host.name = instance.empty() ? "(no instance)" : instance;
    if (namesakes.size() > 1) absl::StrAppend(&host.name, Difference(host, namesakes));
  }
  return std::move(hosts_);
}

}  // namespace pagewarden
