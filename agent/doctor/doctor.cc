// SPDX-License-Identifier: Apache-2.0
#include "agent/doctor/doctor.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/audit/snapshot.h"
#include "agent/doctor/case_builder.h"
#include "agent/doctor/checks.h"
#include "agent/doctor/host_checks.h"
#include "agent/doctor/limits_conf.h"
#include "agent/doctor/user_names.h"
#include "agent/proc/read_file.h"
#include "agent/reasons/amounts.h"

namespace pagewarden {
namespace {

constexpr size_t kMaxTextBytes = 64 << 10;

const CgroupHierarchy* Pointer(const absl::StatusOr<CgroupHierarchy>& hierarchy) {
  return hierarchy.ok() ? &*hierarchy : nullptr;
}

void Append(std::vector<std::string> from, std::vector<std::string>& to) {
  for (std::string& line : from) {
    if (std::find(to.begin(), to.end(), line) == to.end()) to.push_back(std::move(line));
  }
}

void Examine(const Case& subject, DoctorReport& report) {
  report.observed.push_back(DescribeFacts(subject));
  if (subject.IsRunning()) report.pids.push_back(subject.facts.pid);
  for (const Check& check : CaseChecks()) {
    Append({check.question}, report.checked);
    for (Finding& finding : check.run(subject)) report.findings.push_back(std::move(finding));
  }
  Append(subject.facts.unreadable, report.unreadable);
}

bool Exceeds(const std::optional<uint64_t>& a, const std::optional<uint64_t>& b) {
  return b && (!a || *a > *b);
}

// limits.conf gives more than the process has: it never came to it.
void CheckLimitsConf(const Case& subject, DoctorReport& report) {
  Append({"limits.conf"}, report.checked);
  const uid_t uid = subject.facts.uid;
  const auto configured = ConfiguredMemlock("", UserName(uid), GroupNames(uid));
  if (!configured || !Exceeds(configured->hard_bytes, subject.facts.limits.hard)) return;
  Finding finding =
      FindingOf(subject, FindingCode::kLimitsConfIgnored,
                absl::StrCat("has a hard limit of ", LimitAmount(subject.facts.limits.hard),
                             ", although ", configured->file, " gives ", UserName(uid), " ",
                             LimitAmount(configured->hard_bytes)));
  finding.effect = "the line counts for new login sessions only";
  finding.fixes = LimitFixesOf(subject, std::max<uint64_t>(subject.need.bytes, 1 << 20),
                               /*capability_helps=*/false);
  if (subject.environment.kind == EnvironmentKind::kLogin) {
    finding.fixes = {{"log out and in again", "", "", {}}};
  }
  report.findings.push_back(std::move(finding));
}

// The unit's files were changed after its processes were started.
void CheckRestart(const UnitSettings& settings, const Case& subject, DoctorReport& report) {
  if (!Exceeds(settings.memlock.hard, subject.facts.limits.hard) ||
      settings.memlock_source == "the default of systemd") {
    return;
  }
  Finding finding = FindingOf(
      subject, FindingCode::kLimitsConfIgnored,
      absl::StrCat("has a hard limit of ", LimitAmount(subject.facts.limits.hard), ", although ",
                   settings.memlock_source, " says ", LimitAmount(settings.memlock.hard)));
  finding.effect = "it was started before, or systemd has not read the file again";
  finding.fixes = {
      {"start it again",
       "",
       "",
       {"systemctl daemon-reload", absl::StrCat("systemctl restart ", subject.environment.name)}}};
  report.findings.push_back(std::move(finding));
}

bool IsInUnit(pid_t pid, const std::string& unit) {
  const std::string text =
      ReadBoundedFile(absl::StrCat("/proc/", pid, "/cgroup"), kMaxTextBytes).value_or("");
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    for (absl::string_view component : absl::StrSplit(line, '/')) {
      if (component == unit) return true;
    }
  }
  return false;
}

std::vector<pid_t> ProcessesOf(const std::string& unit) {
  const auto all = ListProcesses();
  std::vector<pid_t> pids;
  if (!all.ok()) return pids;
  std::copy_if(all->begin(), all->end(), std::back_inserter(pids),
               [&unit](pid_t pid) { return IsInUnit(pid, unit); });
  return pids;
}

// Processes that end meanwhile are left out.
absl::Status ExamineProcesses(const std::vector<pid_t>& pids, const UnitSettings* settings,
                              const DoctorOptions& options, DoctorReport& report) {
  const auto hierarchy = CgroupHierarchy::Find();
  const HostFacts host = ReadHostFacts();
  for (const pid_t pid : pids) {
    const auto subject = CaseOfProcess(pid, Pointer(hierarchy), host, options);
    if (absl::IsNotFound(subject.status()) || absl::IsFailedPrecondition(subject.status())) {
      continue;
    }
    if (!subject.ok()) return subject.status();
    Examine(*subject, report);
    CheckLimitsConf(*subject, report);
    if (settings != nullptr) CheckRestart(*settings, *subject, report);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DoctorReport> ExamineProcess(pid_t pid, const DoctorOptions& options) {
  DoctorReport report;
  report.subject = absl::StrCat("process ", pid);
  const auto hierarchy = CgroupHierarchy::Find();
  const auto subject = CaseOfProcess(pid, Pointer(hierarchy), ReadHostFacts(), options);
  if (!subject.ok()) return subject.status();
  Examine(*subject, report);
  CheckLimitsConf(*subject, report);
  report.findings = MergeAndOrder(std::move(report.findings));
  return report;
}

absl::StatusOr<DoctorReport> ExamineUnit(const std::string& unit, const DoctorOptions& options) {
  const auto file = LoadUnit(options.root, unit);
  if (absl::IsInvalidArgument(file.status())) return file.status();
  DoctorReport report;
  report.subject = file.ok()                      ? file->name
                   : absl::StrContains(unit, '.') ? unit
                                                  : absl::StrCat(unit, ".service");
  std::vector<pid_t> pids;
  if (options.root.empty()) pids = ProcessesOf(report.subject);
  if (pids.empty() && !file.ok()) return file.status();
  UnitSettings settings;
  if (file.ok()) {
    settings = ReadUnitSettings(options.root, *file);
    Append(file->unreadable, report.unreadable);
    Append(settings.problems, report.unreadable);
    report.checked.push_back(absl::StrCat("unit files: ", absl::StrJoin(file->files, ", ")));
  }
  if (!pids.empty()) {
    const absl::Status status =
        ExamineProcesses(pids, file.ok() ? &settings : nullptr, options, report);
    if (!status.ok()) return status;
  } else {
    const auto subject = CaseOfUnit(*file, settings, ReadHostFacts(), options);
    if (!subject.ok()) return subject.status();
    Examine(*subject, report);
  }
  report.findings = MergeAndOrder(std::move(report.findings));
  return report;
}

absl::StatusOr<DoctorReport> ExamineCommand(const std::vector<std::string>& command,
                                            const DoctorOptions& options) {
  DoctorReport report;
  report.subject = absl::StrCat("command ", command.front());
  const auto hierarchy = CgroupHierarchy::Find();
  const auto subject = CaseOfCommand(command, Pointer(hierarchy), ReadHostFacts(), options);
  if (!subject.ok()) return subject.status();
  Examine(*subject, report);
  report.findings = MergeAndOrder(std::move(report.findings));
  return report;
}

DoctorReport ExamineHost() {
  DoctorReport report;
  report.subject = "this host";
  const HostFacts facts = ReadHostFacts();
  report.checked = {"swap areas and what lies below them",
                    "zram, zswap",
                    "hibernation",
                    "core dumps",
                    "fs.suid_dumpable",
                    "vm.max_map_count",
                    "memfd_secret",
                    "limits, drift and shims of all processes"};
  report.unreadable = facts.unreadable;
  report.findings = CheckHost(facts);
  const auto hierarchy = CgroupHierarchy::Find();
  const auto snapshot = TakeSnapshot(Pointer(hierarchy), {});
  if (snapshot.ok()) {
    report.observed.push_back(
        absl::StrCat(snapshot->processes.size(), " processes, from ", snapshot->source));
    Append(snapshot->unreadable, report.unreadable);
    for (Finding& finding : CheckProcesses(snapshot->processes)) {
      report.findings.push_back(std::move(finding));
    }
  } else {
    report.unreadable.push_back(std::string(snapshot.status().message()));
  }
  report.findings = MergeAndOrder(std::move(report.findings));
  return report;
}

}  // namespace pagewarden
