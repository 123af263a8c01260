// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/watch.h"

#include <poll.h>

#include <utility>

#include "absl/status/status.h"
#include "agent/base/steady_now.h"
#include "agent/bpf/run_statistics.h"
#include "agent/watch/attempt_source.h"
#include "agent/watch/cgroup_names.h"
#include "agent/watch/guard_hits.h"
#include "agent/watch/locked_peaks.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kBetweenScans = absl::Seconds(5);

std::optional<CgroupVersion> VersionOf(const CgroupHierarchy* hierarchy) {
  if (hierarchy == nullptr) return std::nullopt;
  return hierarchy->version();
}

template <typename Source>
void Take(absl::StatusOr<Source> opened, std::optional<Source>& source, absl::Status& refused) {
  if (opened.ok()) {
    source = *std::move(opened);
  } else if (refused.ok() || absl::IsPermissionDenied(refused)) {
    refused = opened.status();
  }
}

template <typename Seen>
WatchEvent EventOf(const Seen& seen, CgroupNames& names) {
  WatchEvent event;
  event.time = seen.time;
  event.pid = seen.pid;
  event.uid = seen.uid;
  event.comm = seen.comm;
  event.cgroup = names.PathOf(seen.cgroup_id);
  return event;
}

}  // namespace

struct Watch::State {
  explicit State(CgroupNames cgroup_names) : names(std::move(cgroup_names)) {}

  void WaitUntilReadable(absl::Duration timeout) const;
  void ScanNowAndThen();
  std::vector<WatchEvent> Take();

  std::optional<RunStatistics> statistics;
  CgroupNames names;
  std::optional<LockedPeaks> peaks;
  std::optional<GuardHits> guards;
  std::optional<AttemptSource> attempts;
  HookReport peaks_report;  // those of what did not open
  HookReport guards_report;
  absl::Time last_scan = SteadyNow();
};

void Watch::State::WaitUntilReadable(absl::Duration timeout) const {
  pollfd sources[2] = {{guards ? guards->fd() : -1, POLLIN, 0},
                       {attempts ? attempts->fd() : -1, POLLIN, 0}};
  poll(sources, 2, static_cast<int>(absl::ToInt64Milliseconds(timeout)));
}

void Watch::State::ScanNowAndThen() {
  const absl::Time now = SteadyNow();
  if (now - last_scan < kBetweenScans) return;
  last_scan = now;
  if (guards) guards->LookForShims();
}

std::vector<WatchEvent> Watch::State::Take() {
  std::vector<WatchEvent> events;
  names.Refresh();
  if (guards) {
    for (GuardEvent& seen : guards->Read()) {
      events.push_back(EventOf(seen, names));
      events.back().guard_hit = std::move(seen.hit);
    }
  }
  if (attempts) {
    for (ObservedAttempt& seen : attempts->Take()) {
      events.push_back(EventOf(seen, names));
      events.back().attempt = std::move(seen.attempt);
      events.back().verdict = std::move(seen.verdict);
    }
  }
  return events;
}

Watch::Watch(std::unique_ptr<State> state) : state_(std::move(state)) {}
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&&) noexcept = default;
Watch::~Watch() = default;

absl::StatusOr<Watch> Watch::Open(const CgroupHierarchy* hierarchy, const WatchOptions& options) {
  const std::optional<CgroupVersion> version = VersionOf(hierarchy);
  auto state = std::make_unique<State>(CgroupNames::Open(hierarchy));
  absl::Status refused;
  Take(LockedPeaks::Open(version, {}, &state->peaks_report), state->peaks, refused);
  Take(GuardHits::Open(version, {}, &state->guards_report), state->guards, refused);
  AttemptSourceOptions attempts;
  attempts.cgroup_version = version;
  attempts.trace_syscalls = options.trace_syscalls;
  attempts.pids = options.pids;
  Take(AttemptSource::Open(attempts), state->attempts, refused);
  if (!state->peaks && !state->guards && !state->attempts) return refused;
  if (options.count_runs) {
    if (auto statistics = RunStatistics::Enable(); statistics.ok()) {
      state->statistics = *std::move(statistics);
    }
  }
  return Watch(std::move(state));
}

std::vector<WatchEvent> Watch::Poll(absl::Duration timeout) {
  state_->ScanNowAndThen();
  std::vector<WatchEvent> events = state_->Take();
  if (!events.empty()) return events;
  state_->WaitUntilReadable(timeout);
  if (state_->peaks && !state_->peaks->is_exact()) state_->peaks->Sample().IgnoreError();
  return state_->Take();
}

absl::flat_hash_map<pid_t, Peak> Watch::ProcessPeaks() const {
  return state_->peaks ? state_->peaks->ByProcess() : absl::flat_hash_map<pid_t, Peak>();
}

absl::flat_hash_map<std::string, Peak> Watch::CgroupPeaks() const {
  absl::flat_hash_map<std::string, Peak> peaks;
  if (!state_->peaks) return peaks;
  state_->names.Refresh();
  for (const auto& [id, peak] : state_->peaks->ByCgroup()) {
    const std::string path = state_->names.PathOf(id);
    if (!path.empty() && state_->names.IsThere(id)) peaks[path] = peak;
  }
  return peaks;
}

std::vector<HookReport> Watch::hooks() const {
  std::vector<HookReport> reports;
  if (state_->attempts) reports = state_->attempts->hooks();
  reports.push_back(state_->peaks ? state_->peaks->Report() : state_->peaks_report);
  reports.push_back(state_->guards ? state_->guards->Report() : state_->guards_report);
  reports.push_back(state_->names.Report());
  return reports;
}

}  // namespace pagewarden
