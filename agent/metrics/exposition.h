// SPDX-License-Identifier: Apache-2.0
// What the agent knows, as Prometheus reads it. docs/metrics.md lists the families.
//
//   Exposition exposition({.max_cgroups = 200});
//   exposition.Render(view, MetricsFormat::kText);  // at each scrape
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "agent/daemon/host_view.h"
#include "agent/metrics/cgroup_labels.h"

namespace pagewarden {

enum class MetricsFormat {
  kText,         // text exposition 0.0.4
  kOpenMetrics,  // 1.0.0
};

struct MetricsOptions {
  size_t max_cgroups = 200;  // with series of their own; the rest is summed up
  // Where the sums of counters of the rest outlive the agent; empty: nowhere.
  std::string state_path;
  CgroupLabels labels = {};
};

// Which one a scraper wants, by its Accept header.
MetricsFormat FormatFor(absl::string_view accept);
const char* ContentTypeOf(MetricsFormat format);

// Remembers from scrape to scrape which cgroups have series of their own, so that series do
// not come and go, and counters never go down. Thread-safe.
class Exposition {
 public:
  explicit Exposition(MetricsOptions options);
  Exposition(Exposition&&) noexcept;
  Exposition& operator=(Exposition&&) noexcept;
  ~Exposition();

  std::string Render(const HostView& view, MetricsFormat format);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The first scrape of a new Exposition, in text format.
std::string RenderMetrics(const HostView& view, const MetricsOptions& options);

// What one audit knows by itself, for a textfile collector: no counters, nothing of an agent.
std::string RenderSnapshot(const HostView& view, const MetricsOptions& options);

}  // namespace pagewarden
