// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/audit_coverage.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/daemon/runtime_lock.h"
#include "agent/policy/directories.h"
#include "agent/policy/effective_mode.h"
#include "agent/run/locations.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kBetweenPods = absl::Seconds(10);

}  // namespace

AuditCoverage::AuditCoverage(std::vector<std::string> directories,
                             std::optional<abi::Mode> max_mode)
    : max_mode_(max_mode) {
  const absl::StatusOr<Locations> locations = FindLocations();
  if (!locations.ok()) {
    messages_.push_back(absl::StrCat("coverage unknown : ", locations.status().message()));
    return;
  }
  KeeperOptions options;
  options.directories = directories.empty() ? DefaultPolicyDirectories() : std::move(directories);
  options.max_mode = MaxMode();
  options.runtime_dir = kHostRuntimeDirectory;
  options.shipped = locations->policies;
  options.publishes = false;
  absl::StatusOr<PolicyKeeper> keeper = PolicyKeeper::Open(std::move(options));
  if (!keeper.ok()) {
    messages_.push_back(absl::StrCat("coverage unknown : ", keeper.status().message()));
    return;
  }
  keeper_.emplace(*std::move(keeper));
  Tell();
}

std::optional<abi::Mode> AuditCoverage::MaxMode() {
  const auto agent = ReadAgentMaxMode(kHostRuntimeDirectory);
  if (!agent.ok() && !std::exchange(told_of_agent_, true)) {
    messages_.push_back(
        absl::StrCat("the agent's --max-mode unknown : ", agent.status().message()));
  }
  if (!agent.ok() || !agent->has_value()) return max_mode_;
  return max_mode_ ? std::min(*max_mode_, **agent) : *agent;
}

void AuditCoverage::Tell() {
  const PolicyStatus& status = keeper_->status();
  if (status.errors == told_) return;
  told_ = status.errors;
  const bool has_set = status.last_success != absl::InfinitePast();
  const char* const what = has_set ? "coverage by the policies before : " : "coverage unknown : ";
  for (const std::string& error : status.errors) messages_.push_back(absl::StrCat(what, error));
}

void AuditCoverage::Prepare(SnapshotOptions& options) {
  if (!keeper_) return;
  const absl::Time now = absl::Now();
  if (keeper_->SetMaxMode(MaxMode(), now) || keeper_->Poll(now)) Tell();
  if (now - pods_read_ >= kBetweenPods) {
    pods_ = PodTable::Read();
    pods_read_ = now;
  }
  reader_.Prepare(keeper_->status(), pods_, options);
}

void AuditCoverage::AddTo(AuditReport& report, const CgroupHierarchy* hierarchy) {
  if (!keeper_ || keeper_->status().last_success == absl::InfinitePast()) return;
  report.coverage = reader_.Read(report, keeper_->status(), hierarchy, pods_);
}

}  // namespace pagewarden
