// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/watch_session.h"

#include <poll.h>

#include <algorithm>
#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/audit/text.h"
#include "agent/doctor/case_builder.h"
#include "agent/doctor/checks.h"
#include "agent/doctor/own_cgroup.h"
#include "agent/doctor/traced_command.h"
#include "agent/watch/attempt_source.h"

namespace pagewarden {
namespace {

constexpr absl::Duration kStep = absl::Milliseconds(100);
constexpr size_t kMaxFindings = 1000;

class Session {
 public:
  Session(const WatchRequest& request, const DoctorOptions& options, DoctorReport& report)
      : request_(request), options_(options), report_(report), host_(ReadHostFacts()) {
    auto hierarchy = CgroupHierarchy::Find();
    if (hierarchy.ok()) hierarchy_ = *std::move(hierarchy);
  }

  absl::Status Run();

 private:
  const CgroupHierarchy* hierarchy() const { return hierarchy_ ? &*hierarchy_ : nullptr; }
  absl::Status StartCommand();
  void Loop(AttemptSource& source);
  void TakeAll(AttemptSource& source);
  bool Concerns(const ObservedAttempt& seen) const;
  Case CaseOf(const ObservedAttempt& seen);
  void Explain(const ObservedAttempt& seen);
  void NameHooks(const AttemptSource& source);

  const WatchRequest& request_;
  const DoctorOptions& options_;
  DoctorReport& report_;
  const HostFacts host_;
  std::optional<CgroupHierarchy> hierarchy_;
  std::optional<Case> command_case_;
  std::optional<OwnCgroup> cgroup_;
  std::optional<TracedCommand> command_;  // ends before its cgroup does
  std::map<pid_t, Case> cases_;
};

// The attempts of others are seen, too, where the hooks cannot tell them apart.
bool Session::Concerns(const ObservedAttempt& seen) const {
  if (!command_) return true;
  if (cgroup_ && seen.cgroup_id == cgroup_->id()) return true;
  return command_->IsDescendant(seen.pid);
}

// Of a process that is gone already: what the attempt itself tells.
Case Session::CaseOf(const ObservedAttempt& seen) {
  const std::string name = absl::StrCat(Printable(seen.comm), "[", seen.pid, "]");
  if (command_case_) {
    Case subject = *command_case_;
    subject.name = name;
    return subject;
  }
  const auto known = cases_.find(seen.pid);
  if (known != cases_.end()) return known->second;
  auto read = CaseOfProcess(seen.pid, hierarchy(), host_, options_);
  if (read.ok()) return cases_.emplace(seen.pid, *std::move(read)).first->second;
  Case subject;
  subject.name = name;
  subject.facts.pid = seen.pid;
  subject.facts.in_initial_user_ns = seen.attempt.in_initial_user_ns;
  return subject;
}

std::string EffectOfAttempt(const Attempt& attempt, const std::string& usual) {
  if (attempt.signal != 0) return "the process ends";
  if (attempt.result && *attempt.result >= 0) return usual;
  return "what it meant to lock stays swappable, if the program goes on";
}

void Session::Explain(const ObservedAttempt& seen) {
  const Case subject = CaseOf(seen);
  for (Finding& finding :
       FindingsOfVerdict(subject, seen.attempt, seen.verdict, /*observed=*/true)) {
    finding.effect = EffectOfAttempt(seen.attempt, finding.effect);
    if (report_.findings.size() >= kMaxFindings) return;
    if (request_.on_finding) request_.on_finding(finding);
    report_.findings.push_back(std::move(finding));
  }
}

void Session::TakeAll(AttemptSource& source) {
  for (const ObservedAttempt& seen : source.Take()) {
    if (Concerns(seen)) Explain(seen);
  }
}

void Session::Loop(AttemptSource& source) {
  const absl::Time end = absl::Now() + request_.duration;
  bool runs = true;
  while (runs && absl::Now() < end) {
    runs = !command_ || command_->IsRunning();
    pollfd ready = {source.fd(), POLLIN, 0};
    poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(kStep)));
    TakeAll(source);
  }
}

void Session::NameHooks(const AttemptSource& source) {
  for (const HookReport& hook : source.hooks()) {
    const std::string name = hook.hook.empty() ? "no hook" : hook.hook;
    report_.observed.push_back(absl::StrCat("watched ", hook.question, " by ", name));
    if (hook.lost > 0) {
      report_.unreadable.push_back(absl::StrCat(hook.lost, " events of ", name, ": lost"));
    }
  }
}

absl::Status Session::StartCommand() {
  if (request_.command.empty()) return absl::OkStatus();
  auto subject = CaseOfCommand(request_.command, hierarchy(), host_, options_);
  if (!subject.ok()) return subject.status();
  command_case_ = *std::move(subject);
  if (hierarchy_) {
    auto cgroup = OwnCgroup::Make(*hierarchy_);
    if (cgroup.ok()) cgroup_.emplace(*std::move(cgroup));
  }
  auto command = TracedCommand::Start(request_.command, cgroup_ ? cgroup_->procs_file() : "");
  if (!command.ok()) return command.status();
  command_.emplace(*std::move(command));
  return absl::OkStatus();
}

absl::Status Session::Run() {
  AttemptSourceOptions source_options;
  if (hierarchy_) source_options.cgroup_version = hierarchy_->version();
  source_options.trace_syscalls = request_.trace_syscalls;
  source_options.pids = request_.pids;
  auto source = AttemptSource::Open(source_options);
  if (!source.ok()) {
    report_.unreadable.push_back(
        absl::StrCat("refusals as they happen: ", source.status().message()));
    return absl::OkStatus();
  }
  const absl::Status started = StartCommand();
  if (!started.ok()) return started;
  Loop(*source);
  report_.checked.push_back("refusals as they happened");
  if (command_ && !command_->outcome().empty()) {
    report_.observed.push_back(absl::StrCat("the command ended: ", command_->outcome()));
  }
  NameHooks(*source);
  return absl::OkStatus();
}

}  // namespace

absl::Status WatchAndExplain(const WatchRequest& request, const DoctorOptions& options,
                             DoctorReport& report) {
  const absl::Status status = Session(request, options, report).Run();
  report.findings = MergeAndOrder(std::move(report.findings));
  return status;
}

}  // namespace pagewarden
