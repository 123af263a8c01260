// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/exposition.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "agent/metrics/cgroup_samples.h"
#include "agent/metrics/collect.h"
#include "agent/metrics/samples.h"

namespace pagewarden {

MetricsFormat FormatFor(absl::string_view accept) {
  return absl::StrContains(accept, "application/openmetrics-text") ? MetricsFormat::kOpenMetrics
                                                                   : MetricsFormat::kText;
}

const char* ContentTypeOf(MetricsFormat format) {
  return format == MetricsFormat::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

struct Exposition::State {
  absl::Mutex mutex;
  MetricsOptions options;
};

Exposition::Exposition(MetricsOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
}
Exposition::Exposition(Exposition&&) noexcept = default;
Exposition& Exposition::operator=(Exposition&&) noexcept = default;
Exposition::~Exposition() = default;

std::string Exposition::Render(const HostView& view, MetricsFormat format) {
  Samples samples;
  for (const CgroupFigures& figures : FiguresOf(view, absl::Minutes(5))) {
    AddGauges(figures, samples);
    AddCounters(figures, samples);
  }
  AddShims(view, samples);
  AddShimBooks(view, samples);
  AddPending(view.coverage, samples);
  AddPolicies(view.policies, samples);
  AddSecretChecks(view.secrets, samples);
  AddHealth(view.health, samples);
  AddBuild(samples);
  AddOwnProcess(samples);
  return samples.Text(format);
}

std::string RenderMetrics(const HostView& view, const MetricsOptions& options) {
  return Exposition(options).Render(view, MetricsFormat::kText);
}

}  // namespace pagewarden
