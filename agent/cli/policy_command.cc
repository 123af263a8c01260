// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/commands.h"
#include "agent/elf/closure.h"
#include "agent/explain/explain_report.h"
#include "agent/policy/load.h"
#include "agent/policy/resolve.h"
#include "agent/proc/status.h"
#include "agent/run/choose_policies.h"
#include "agent/run/locations.h"

namespace pagewarden {
namespace {

constexpr int kMaxPid = 1 << 22;  // proc(5), /proc/sys/kernel/pid_max

constexpr char kHelp[] = R"(Check policies, and see what they come to in a program.

Usage:
  pagewarden policy explain (--exe PROGRAM | --pid PID) [--policy FILE-OR-DIR]... [OPTIONS]
  pagewarden policy lint FILE-OR-DIR...

Help on each: pagewarden policy explain --help
)";

constexpr char kExplainHelp[] =
    R"(Tell which policy a program gets and why, and which of its rules take effect in which module.

Examples:
  pagewarden policy explain --exe nginx
  pagewarden policy explain --exe node --all
  pagewarden policy explain --policy team.yaml --pid 1234 --json

Usage:
  pagewarden policy explain (--exe PROGRAM | --pid PID) [--policy FILE-OR-DIR]... [OPTIONS]

Options:
  --exe PROGRAM          a command or a path: with the libraries that it loads at start
  --pid PID              a process: with all that is mapped, plugins too
  --policy FILE-OR-DIR   use these policies instead of the shipped ones, as `run` does;
                         may be given several times
  --all                  a row for each function, pattern or signature
  --json                 print JSON, with everything
  -h, --help             print this help

A function binds in the modules that call it through a slot of the loader. It cannot bind where no
module exports it, or where only the module that defines it calls it, and directly.

Exit codes: 0 every rule takes effect somewhere, 1 a rule does not (of the presets that every
program gets: all of them), or a preset names what its libraries do not export, 2 usage, 3 invalid policy, 4 the program or process cannot be read.
)";

constexpr char kLintHelp[] = R"(Check policies: all errors at once, each with its place.

Usage:
  pagewarden policy lint FILE-OR-DIR...

The shipped presets are there to refer to. Exit codes: 0 no error, 2 usage, 3 invalid policy.
)";

struct ExplainOptions {
  PolicyChoice choice;
  std::string exe;
  pid_t pid = 0;
  bool all = false;
  bool json = false;
};

int Fail(int exit_code, absl::string_view message) {
  std::cerr << "pagewarden: " << message << "\n";
  return exit_code;
}

int FailWithDiagnostics(const Diagnostics& diagnostics) {
  std::cerr << diagnostics.Render();
  return Fail(kExitInvalidPolicy, absl::StrCat("invalid policy: ", diagnostics.count(),
                                               diagnostics.count() == 1 ? " error" : " errors"));
}

absl::StatusOr<Program> FindTarget(const ExplainOptions& options) {
  if (options.pid == 0) return FindProgram(options.exe, getenv("PATH"));
  const std::string exe = ReadExe(options.pid);
  if (!exe.empty()) return Program{exe, exe, false};
  return absl::NotFoundError(
      absl::StrCat("process ", options.pid, ": no such process, or its program cannot be read"));
}

std::string WhyChosen(const AllocationPolicy& policy, const ExplainOptions& options) {
  if (policy.at.source == nullptr) {
    return "no shipped policy selects it, so it gets all presets";
  }
  const bool shipped = options.choice.paths.empty();
  const char* by =
      policy.spec.selector.match_binaries.empty() ? "selects every executable" : "selects its path";
  return absl::StrCat(shipped ? "shipped, " : "", by, ", priority ", policy.spec.priority);
}

void AddPassedOver(const AllocationPolicy& chosen, const std::vector<AllocationPolicy>& policies,
                   ExplainReport& report) {
  for (const AllocationPolicy& policy : policies) {
    if (&policy == &chosen || !Selects(policy, report.executable)) continue;
    const char* why = policy.spec.priority == chosen.spec.priority
                          ? "the same priority, and its name comes later"
                          : "lower priority";
    report.passed_over.push_back(
        absl::StrCat(policy.metadata.name, " (priority ", policy.spec.priority, "): ", why));
  }
}

int ExitCodeOf(const ExplainReport& report) {
  if (report.rules.empty()) return kExitClean;
  size_t dead = 0;
  for (const RuleExplanation& rule : report.rules) {
    if (rule.IsMistaken()) return kExitFindings;
    dead += rule.CannotBind();
  }
  const bool is_built_in = report.policy == kBuiltInPolicyName;
  return dead >= (is_built_in ? report.rules.size() : 1) ? kExitFindings : kExitClean;
}

ExplainReport MakeReport(const ExplainOptions& options, const std::string& executable,
                         const PolicySet& set, const Closure& closure) {
  ExplainReport report;
  report.executable = executable;
  report.pid = options.pid;
  for (const LoadedModule& module : closure.modules) report.modules.push_back(module.path);
  report.problems = closure.problems;
  const AllocationPolicy* policy = FindPolicyFor(executable, set.policies);
  if (policy == nullptr) {
    report.why = "since none of those given selects it";
    return report;
  }
  report.policy = policy->metadata.name;
  if (policy->at.source != nullptr) report.where = policy->at.ToString();
  report.why = WhyChosen(*policy, options);
  AddPassedOver(*policy, set.policies, report);
  report.rules = ExplainRules(*policy, set.presets, closure);
  return report;
}

int RunExplain(const ExplainOptions& options) {
  const absl::StatusOr<Program> program = FindTarget(options);
  if (!program.ok()) return Fail(kExitPartialData, program.status().message());
  const absl::StatusOr<Locations> locations = FindLocations();
  if (!locations.ok()) return Fail(kExitPartialData, locations.status().message());
  Diagnostics diagnostics;
  const PolicySet set = LoadChosen(options.choice, *program, locations->policies, diagnostics);
  if (!diagnostics.empty()) return FailWithDiagnostics(diagnostics);
  const absl::StatusOr<Closure> closure = options.pid != 0
                                              ? ReadProcessClosure(options.pid)
                                              : ReadClosure(program->executable, ReadLoaderCache());
  if (!closure.ok()) return Fail(kExitPartialData, closure.status().message());
  const ExplainReport report = MakeReport(options, program->executable, set, *closure);
  if (options.json) {
    PrintExplainJson(report, std::cout);
  } else {
    PrintExplainTable(report, options.all, std::cout);
  }
  return ExitCodeOf(report);
}

int RunLint(const std::vector<std::string>& paths) {
  const absl::StatusOr<Locations> locations = FindLocations();
  if (!locations.ok()) return Fail(kExitPartialData, locations.status().message());
  PolicySet set;
  Diagnostics diagnostics;
  LoadPath(absl::StrCat(locations->policies, "/presets"), set, diagnostics);
  const size_t shipped = set.presets.size();
  for (const std::string& path : paths) LoadPath(path, set, diagnostics);
  ResolveReferences(set, diagnostics);
  if (!diagnostics.empty()) return FailWithDiagnostics(diagnostics);
  const size_t presets = set.presets.size() - shipped;
  std::cout << set.policies.size() << (set.policies.size() == 1 ? " policy, " : " policies, ")
            << presets << (presets == 1 ? " preset" : " presets") << ": no errors\n";
  return kExitClean;
}

CLI::App* AddSubcommand(CLI::App& group, const char* name, const char* what, const char* help) {
  CLI::App* command = group.add_subcommand(name, what);
  command->formatter_fn([help](const CLI::App*, const std::string&, CLI::AppFormatMode) {
    return std::string(help);
  });
  return command;
}

void AddExplain(CLI::App& group, int& exit_code) {
  const auto options = std::make_shared<ExplainOptions>();
  CLI::App* explain =
      AddSubcommand(group, "explain", "What a policy does in a program", kExplainHelp);
  CLI::Option* exe = explain->add_option("--exe", options->exe);
  explain->add_option("--pid", options->pid)->check(CLI::Range(1, kMaxPid))->excludes(exe);
  explain->add_option("--policy", options->choice.paths)->allow_extra_args(false);
  explain->add_flag("--all", options->all);
  explain->add_flag("--json", options->json);
  explain->callback([options, &exit_code] {
    const bool has_target = options->pid != 0 || !options->exe.empty();
    exit_code = has_target ? RunExplain(*options)
                           : Fail(kExitUsage,
                                  "policy explain: give --exe or --pid; "
                                  "try pagewarden policy explain --help");
  });
}

void AddLint(CLI::App& group, int& exit_code) {
  const auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* lint = AddSubcommand(group, "lint", "Check policies", kLintHelp);
  lint->add_option("file", *paths);
  lint->callback([paths, &exit_code] {
    exit_code = paths->empty() ? Fail(kExitUsage,
                                      "policy lint: no file given; "
                                      "try pagewarden policy lint --help")
                               : RunLint(*paths);
  });
}

}  // namespace

void AddPolicyCommand(CLI::App& app, int& exit_code) {
  CLI::App* policy =
      AddSubcommand(app, "policy", "Check policies, and explain them for a program", kHelp);
  policy->require_subcommand(1);
  AddExplain(*policy, exit_code);
  AddLint(*policy, exit_code);
}

}  // namespace pagewarden
