// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics/exposition.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "agent/metrics/cardinality.h"
#include "agent/metrics/cgroup_samples.h"
#include "agent/metrics/collect.h"
#include "agent/metrics/folded_counts.h"
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

namespace {

constexpr absl::Duration kKeepGone = absl::Minutes(5);

bool IsEmpty(const CgroupFigures& other) {
  return other.locked_bytes + other.pinned_bytes + other.unevictable_bytes.value_or(0) +
                 other.peak_bytes + other.oom_kills ==
             0 &&
         other.denials.empty() && other.uncovered.empty() && other.secret_copies.empty();
}

// `other` becomes the sum of the folded.
void AddGaugesOf(const std::vector<CgroupFigures>& cgroups, const CgroupSplit& split,
                 CgroupFigures& other, Samples& samples) {
  for (const size_t i : split.exported) AddGauges(cgroups[i], samples);
  for (const size_t i : split.folded) Fold(cgroups[i], other);
  if (!IsEmpty(other)) AddGauges(other, samples);
  samples.Add(Metric::kCgroupsTracked, {}, static_cast<double>(split.tracked));
  samples.Add(Metric::kCgroupsFolded, {},
              static_cast<double>(split.tracked - split.exported.size()));
}

}  // namespace

struct Exposition::State {
  explicit State(MetricsOptions options)
      : labels(options.labels),
        choice(options.max_cgroups),
        counts(std::move(options.state_path)) {}

  void AddCgroups(const HostView& view, Samples& samples);

  const CgroupLabels labels;
  absl::Mutex mutex;
  CgroupChoice choice ABSL_GUARDED_BY(mutex);
  FoldedCounts counts ABSL_GUARDED_BY(mutex);
};

void Exposition::State::AddCgroups(const HostView& view, Samples& samples) {
  std::vector<CgroupFigures> cgroups = FiguresOf(view, kKeepGone);
  KeepLabels(labels, cgroups);
  CgroupFigures other;
  other.path = kOtherCgroups;
  CgroupSplit split;
  {
    absl::MutexLock lock(&mutex);
    split = choice.Split(cgroups, view.time);
    counts.Settle(split, cgroups, other);
  }
  for (const size_t i : split.exported) AddCounters(cgroups[i], samples);
  AddGaugesOf(cgroups, split, other, samples);
  if (!IsEmpty(other)) AddCounters(other, samples);
}

Exposition::Exposition(MetricsOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
Exposition::Exposition(Exposition&&) noexcept = default;
Exposition& Exposition::operator=(Exposition&&) noexcept = default;
Exposition::~Exposition() = default;

std::string Exposition::Render(const HostView& view, MetricsFormat format) {
  Samples samples;
  state_->AddCgroups(view, samples);
  AddNamespaceBudgets(view.budgets, samples);
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

std::string RenderSnapshot(const HostView& view, const MetricsOptions& options) {
  Samples samples;
  CgroupChoice choice(options.max_cgroups);
  std::vector<CgroupFigures> cgroups = FiguresOf(view, absl::ZeroDuration());
  KeepLabels(options.labels, cgroups);
  const CgroupSplit split = choice.Split(cgroups, view.time);
  CgroupFigures other;
  other.path = kOtherCgroups;
  AddGaugesOf(cgroups, split, other, samples);
  AddShims(view, samples);
  AddPending(view.coverage, samples);
  AddBuild(samples);
  return samples.Text(MetricsFormat::kText);
}

std::string RenderMetrics(const HostView& view, const MetricsOptions& options) {
  return Exposition(options).Render(view, MetricsFormat::kText);
}

}  // namespace pagewarden
