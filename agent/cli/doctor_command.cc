// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/commands.h"
#include "agent/doctor/doctor.h"
#include "agent/doctor/watch_session.h"
#include "agent/policy/directories.h"
#include "agent/policy/quantity.h"
#include "agent/run/locations.h"

namespace pagewarden {
namespace {

constexpr char kHelp[] = R"(Say what is wrong, why, and how to mend it.

Examples:
  pagewarden doctor                        this host: swap, hibernation, core dumps, limits
  pagewarden doctor --pid 4711             a running process
  pagewarden doctor --unit nginx           a service: its processes, else its unit files
  pagewarden doctor --unit nginx --root /mnt/image
  pagewarden doctor -- ./server --port 1   a command before it starts
  pagewarden doctor --need 4Mi -- ./server would so much be granted?
  pagewarden doctor --pid 4711 --watch 60  explain each refused lock as it happens
  pagewarden doctor --trace -- ./server    run it, and explain what was refused

Usage:
  pagewarden doctor [--pid PID | --unit UNIT [--root DIR]] [OPTIONS] [-- COMMAND...]
  pagewarden doctor --trace [OPTIONS] -- COMMAND...

Options:
  --pid PID              this process
  --unit UNIT            this unit of systemd, which need not be running
  --root DIR             take unit files from the image that is unpacked here
  --need QUANTITY        so much is to be locked (bytes, or with Ki, Mi, Gi); else what the
                         policy for the program locks, 1Mi without one
  --policy FILE-OR-DIR   use these policies instead of the host's and the shipped ones, as `run`
                         does
  --watch SECONDS        also watch the process, or the processes of the unit; with --trace:
                         end the command after so long
  --trace                run the command (its output goes to stderr) and see the result of
                         every call that locks; each system call of this machine takes some
                         20 ns longer meanwhile, where there is no better hook
  --fail-on SEVERITY     exit with 1 for findings of at least this: error, warning
                         (default) or info
  --json                 print JSON
  --codes                print all codes as a table in Markdown
  -h, --help             print this help

Exit codes: 0 nothing found at or above --fail-on, 1 something, 2 usage, 3 invalid policy,
4 nothing found, but something could not be read (it is named on stderr).
)";

struct Options {
  DoctorOptions doctor;
  pid_t pid = 0;
  std::string unit;
  std::string need;
  std::string fail_on = "warning";
  bool json = false;
  bool codes = false;
  bool trace = false;
  double watch_seconds = 0;
  std::vector<std::string> command;
};

int Fail(int exit_code, absl::string_view message) {
  std::cerr << "pagewarden: " << message << "\n";
  return exit_code;
}

// As they happen, for people who wait; the report at the end has them all again.
void PrintNow(const Finding& finding) { std::cerr << "pagewarden: " << OneLine(finding) << "\n"; }

absl::StatusOr<DoctorReport> Trace(const Options& options) {
  DoctorReport report;
  report.subject = absl::StrCat("command ", options.command.front());
  WatchRequest request;
  request.command = options.command;
  request.trace_syscalls = true;
  if (options.watch_seconds > 0) request.duration = absl::Seconds(options.watch_seconds);
  if (!options.json) request.on_finding = PrintNow;
  const absl::Status status = WatchAndExplain(request, options.doctor, report);
  if (!status.ok()) return status;
  return report;
}

absl::Status AlsoWatch(const Options& options, DoctorReport& report) {
  WatchRequest request;
  request.pids = options.pid != 0 ? std::vector<pid_t>{options.pid} : report.pids;
  if (request.pids.empty()) return absl::NotFoundError("nothing runs that could be watched");
  request.duration = absl::Seconds(options.watch_seconds);
  if (!options.json) request.on_finding = PrintNow;
  return WatchAndExplain(request, options.doctor, report);
}

absl::StatusOr<DoctorReport> ExamineNow(const Options& options) {
  if (options.pid != 0) return ExamineProcess(options.pid, options.doctor);
  if (!options.unit.empty()) return ExamineUnit(options.unit, options.doctor);
  if (!options.command.empty()) return ExamineCommand(options.command, options.doctor);
  return ExamineHost();
}

absl::StatusOr<DoctorReport> Examine(const Options& options) {
  if (options.trace) return Trace(options);
  absl::StatusOr<DoctorReport> report = ExamineNow(options);
  if (!report.ok() || options.watch_seconds <= 0) return report;
  const absl::Status status = AlsoWatch(options, *report);
  if (!status.ok()) return status;
  return report;
}

int ExitCodeOf(const DoctorReport& report, Severity fail_on) {
  const bool fails =
      std::any_of(report.findings.begin(), report.findings.end(),
                  [fail_on](const Finding& finding) { return finding.severity >= fail_on; });
  if (fails) return kExitFindings;
  return report.unreadable.empty() ? kExitClean : kExitPartialData;
}

int Print(const DoctorReport& report, const Options& options) {
  for (const std::string& line : report.unreadable) {
    std::cerr << "pagewarden: incomplete : cannot read " << line << "\n";
  }
  std::cout << (options.json ? FormatDoctorJson(report) : FormatDoctorText(report));
  std::cout.flush();
  if (!std::cout) return Fail(kExitPartialData, "cannot write the report : output error");
  Severity fail_on = Severity::kWarning;
  ParseSeverity(options.fail_on, fail_on);
  return ExitCodeOf(report, fail_on);
}

// How often a subject was named; more than one is a mistake.
int Subjects(const Options& options) {
  return (options.pid != 0) + !options.unit.empty() + !options.command.empty();
}

// What is wrong with the combination of options; empty: nothing.
std::string Misuse(const Options& options) {
  if (Subjects(options) > 1) return "one of --pid, --unit and a command at a time";
  if (!options.doctor.root.empty() && options.unit.empty()) return "--root is for --unit only";
  if (options.trace && options.command.empty()) return "--trace needs a command to run";
  if (options.watch_seconds > 0 && options.pid == 0 && options.unit.empty() && !options.trace) {
    return "--watch needs --pid, --unit or --trace";
  }
  return "";
}

int Doctor(Options& options) {
  if (options.codes) {
    std::cout << CodesAsMarkdown();
    return kExitClean;
  }
  const std::string misuse = Misuse(options);
  if (!misuse.empty()) return Fail(kExitUsage, absl::StrCat("doctor : ", misuse));
  if (!options.need.empty()) {
    const auto need = ParseQuantity(options.need);
    if (!need.ok()) return Fail(kExitUsage, absl::StrCat("--need : ", need.status().message()));
    options.doctor.need_bytes = *need;
  }
  PolicyChoice& policies = options.doctor.policies;
  if (policies.paths.empty() && options.doctor.root.empty()) {
    policies.directories = DefaultPolicyDirectories();
  }
  policies.host = ReadHostIdentity();
  const auto locations = FindLocations();
  if (locations.ok()) {
    options.doctor.shim_path = locations->shim;
    options.doctor.shipped_policies = locations->policies;
  }
  const auto report = Examine(options);
  if (report.ok()) return Print(*report, options);
  if (absl::IsInvalidArgument(report.status()) && options.unit.empty()) {
    std::cerr << report.status().message();
    return Fail(kExitInvalidPolicy, "invalid policy");
  }
  const bool usage = absl::IsInvalidArgument(report.status()) ||
                     absl::IsNotFound(report.status()) ||
                     absl::IsFailedPrecondition(report.status());
  return Fail(usage ? kExitUsage : kExitPartialData,
              absl::StrCat("cannot examine : ", report.status().message()));
}

}  // namespace

void AddDoctorCommand(CLI::App& app, int& exit_code) {
  CLI::App* doctor = app.add_subcommand("doctor", "Say what is wrong, why, and how to mend it");
  const auto options = std::make_shared<Options>();
  doctor->formatter_fn(
      [](const CLI::App*, const std::string&, CLI::AppFormatMode) { return kHelp; });
  doctor->add_option("--pid", options->pid)->check(CLI::Range(1, 1 << 22).description(""));
  doctor->add_option("--unit", options->unit);
  doctor->add_option("--root", options->doctor.root)->check(CLI::ExistingDirectory);
  doctor->add_option("--need", options->need);
  doctor->add_option("--policy", options->doctor.policies.paths)->allow_extra_args(false);
  doctor->add_option("--watch", options->watch_seconds)
      ->check(CLI::Range(0.1, 1e6).description(""));
  doctor->add_flag("--trace", options->trace);
  doctor->add_option("--fail-on", options->fail_on)
      ->check(CLI::IsMember({"error", "warning", "info"}));
  doctor->add_flag("--json", options->json);
  doctor->add_flag("--codes", options->codes);
  doctor->add_option("command", options->command);
  doctor->positionals_at_end();
  doctor->callback([options, &exit_code] { exit_code = Doctor(*options); });
}

}  // namespace pagewarden
