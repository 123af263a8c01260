// SPDX-License-Identifier: Apache-2.0
#include "agent/daemon/host_observer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/base/steady_now.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kBetweenPods = absl::Seconds(60);
constexpr absl::Duration kBetweenSaves = absl::Seconds(60);

void Count(absl::Duration took, DurationCounts& counts) {
  const double seconds = absl::ToDoubleSeconds(took);
  const auto* const bound = std::lower_bound(std::begin(DurationCounts::kBounds),
                                             std::end(DurationCounts::kBounds), seconds);
  ++counts.counts[bound - std::begin(DurationCounts::kBounds)];
  counts.sum_seconds += seconds;
}

// "fexit/cap_capable: Operation not permitted": the program's name.
std::string ProgramOf(const std::string& refused) { return refused.substr(0, refused.find(':')); }

// Of a question that nothing answers, those that were tried; of others, the one in use.
void AddPrograms(const HookReport& hook, std::map<std::string, bool>& programs) {
  if (!hook.hook.empty()) {
    programs[hook.hook] = true;
    return;
  }
  for (const std::string& refused : hook.refused) programs.try_emplace(ProgramOf(refused), false);
}

}  // namespace

absl::StatusOr<std::unique_ptr<HostObserver>> HostObserver::Open(const AgentOptions& options) {
  auto auditor = HostAuditor::Open({options.cgroup, options.trace_syscalls});
  if (!auditor.ok()) return auditor.status();
  auto observer = std::unique_ptr<HostObserver>(new HostObserver(*std::move(auditor)));
  observer->started_ = absl::Now();
  auto books = BookKeeper::Open(options.state_dir, observer->auditor_->hierarchy());
  if (!books.ok()) return books.status();
  observer->books_ = *std::move(books);
  observer->notes_ = observer->books_->notes();
  return observer;
}

absl::Status HostObserver::Begin(const AgentOptions& options) {
  KeeperOptions keeper_options;
  keeper_options.directories = options.policy_dirs;
  keeper_options.max_mode = options.max_mode;
  keeper_options.runtime_dir = options.runtime_dir;
  keeper_options.shim_path = options.shim_path;
  keeper_options.shipped = options.shipped;
  auto keeper = PolicyKeeper::Open(std::move(keeper_options));
  if (!keeper.ok()) return keeper.status();
  keeper_ = *std::move(keeper);
  SecretWatchOptions secret_options;
  secret_options.every = options.verify_every;
  secrets_ = std::make_unique<SecretWatch>(secret_options);
  return absl::OkStatus();
}

std::vector<WatchEvent> HostObserver::Wait(absl::Duration timeout) {
  std::vector<WatchEvent> events = auditor_->Wait(timeout);
  for (const WatchEvent& event : events) books_->Add(event);
  return events;
}

void HostObserver::ReadPods() {
  const absl::Time now = SteadyNow();
  if (now - pods_read_ < kBetweenPods) return;
  pods_read_ = now;
  pods_ = std::make_shared<const PodTable>(PodTable::Read());
}

void HostObserver::SetSecretTargets(const CoverageReport& coverage) {
  std::map<std::string, std::vector<pid_t>> targets;
  for (const CoveredProcess& process : coverage.processes) {
    targets[process.policy].push_back(process.pid);
  }
  secrets_->SetTargets(keeper_->status().set, std::move(targets));
}

// In this order: what is shown to anybody has been written.
void HostObserver::KeepBooks(const HostView& view) {
  books_->SetPolicies(keeper_->PolicyNames());
  books_->Update(view.report, view.coverage, view.time);
  const absl::Time now = SteadyNow();
  const bool is_due = now - saved_ >= kBetweenSaves;
  if (is_due) saved_ = now;
  const absl::Status status = is_due ? books_->Save() : books_->Journal();
  if (status.ok()) {
    book_problem_.clear();
  } else if (std::exchange(book_problem_, std::string(status.message())) != status.message()) {
    problems_.push_back(absl::StrCat("books are not kept : ", status.message()));
  }
}

absl::StatusOr<HostView> HostObserver::Observe(absl::Time now) {
  const absl::Time start = SteadyNow();
  ReadPods();
  HostView view;
  view.time = now;
  view.policies = keeper_->status();
  SnapshotOptions wanted;
  wanted.sum_up_quiet = true;
  coverage_.Prepare(view.policies, *pods_, wanted);
  auto report = auditor_->Audit(std::move(wanted));
  if (!report.ok()) return report.status();
  view.report = *std::move(report);
  view.host = view.report.host;
  report_hooks_ = view.report.hooks;
  view.coverage = coverage_.Read(view.report, view.policies, auditor_->hierarchy(), *pods_);
  view.budgets = budgets_.Evaluate(view.report, auditor_->reader(), view.policies.set, pods_,
                                   absl::ToCivilDay(now, absl::UTCTimeZone()));
  SetSecretTargets(view.coverage);
  view.secrets = secrets_->Latest();
  KeepBooks(view);
  view.books = books_->books();
  Count(SteadyNow() - start, scans_);
  view.health = Health();
  return view;
}

std::vector<HookReport> HostObserver::hooks() const {
  // The report's hold the watch's as well, once it is one of a watch.
  return report_hooks_;
}

AgentHealth HostObserver::Health() const {
  AgentHealth health;
  health.started = started_;
  health.scans = scans_;
  health.scan_errors = auditor_->errors();
  for (const HookReport& hook : report_hooks_) {
    AddPrograms(hook, health.programs);
    if (hook.lost > 0) health.events_lost[hook.question] = hook.lost;
  }
  return health;
}

std::vector<std::string> HostObserver::TakeGaps() {
  std::vector<std::string> gaps = auditor_->TakeGaps();
  std::move(notes_.begin(), notes_.end(), std::back_inserter(gaps));
  notes_.clear();
  return gaps;
}

std::vector<std::string> HostObserver::TakeProblems() { return std::exchange(problems_, {}); }

void HostObserver::Save() {
  const absl::Status status = books_->Save();
  if (!status.ok()) problems_.push_back(absl::StrCat("books are not kept : ", status.message()));
}

}  // namespace pagewarden
