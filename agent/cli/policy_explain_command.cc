// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/policy_commands.h"
#include "agent/cli/policy_explain_targets.h"
#include "agent/coverage/one_process.h"
#include "agent/daemon/runtime_lock.h"
#include "agent/elf/closure.h"
#include "agent/explain/explain_report.h"
#include "agent/policy/directories.h"
#include "agent/policy/modes.h"
#include "agent/run/choose_policies.h"
#include "agent/run/locations.h"

namespace pagewarden {
namespace {

constexpr int kMaxPid = 1 << 22;  // proc(5), /proc/sys/kernel/pid_max

constexpr char kHelp[] =
    R"(Tell which policy a program gets and why, which budgets it counts for, and which rules of the
policy take effect in which module.

Examples:
  pagewarden policy explain --exe nginx
  pagewarden policy explain --exe node --all
  pagewarden policy explain --unit nginx.service
  pagewarden policy explain --policy team.yaml --pid 1234 --json

Usage:
  pagewarden policy explain (--exe PROGRAM | --pid PID | --unit UNIT) [OPTIONS]

Options:
  --exe PROGRAM          a command or a path: with the libraries that it loads at start
  --pid PID              a process: with all that is mapped, plugins too
  --unit UNIT            each program that runs in it; if none does, what its unit file starts
  --policy FILE-OR-DIR   use these policies instead of the host's and the shipped ones, as `run`
                         does; may be given several times
  --policy-dir DIR       these drop-in directories, the lowest first, instead of the host's; may
                         be given several times
  --max-mode MODE        lower the mode of every policy to at most Disabled, Audit or Enforce, as
                         the agent's --max-mode and run's --mode do; that of the host's agent is
                         known
  --all                  a row for each function, pattern or signature
  --json                 print JSON, with everything
  -h, --help             print this help

Of a process it says besides whether it is covered, pending or uncovered, why, what to do about
it and what protects its memory all the same (docs/coverage.md); the exit code is of the rules.
Of --exe alone, the cgroup is not known: policies that ask for a unit, a slice, a cgroup or a pod
do not match. A function binds in the modules that call it through a slot of the loader. It cannot
bind where no module exports it, or where only the module that defines it calls it, and directly.

Exit codes: 0 every rule takes effect somewhere, 1 a rule does not (of the presets that every
program gets: all of them), or a preset names what its libraries do not export, 2 usage, 3 invalid
policy, 4 the program or process cannot be read.
)";

struct ExplainOptions {
  PolicyChoice choice;
  std::string max_mode;
  TargetOptions target;
  bool all = false;
  bool json = false;
};

bool IsShipped(const AllocationPolicy& policy, const std::string& shipped) {
  return policy.at.source == nullptr ||
         absl::StartsWith(policy.at.source->name(), absl::StrCat(shipped, "/"));
}

std::string WhyChosen(const AllocationPolicy& policy, const Judgement& judgement, bool is_shipped) {
  if (policy.at.source == nullptr) return "no shipped policy selects it, so it gets all presets";
  return absl::StrCat(is_shipped ? "shipped, " : "", judgement.why, ", priority ",
                      policy.spec.priority);
}

// Policies for other programs are no news.
void AddPassedOver(const Choice& choice, const std::vector<AllocationPolicy>& policies,
                   const std::string& executable, ExplainReport& report) {
  for (size_t i = 0; i < policies.size(); ++i) {
    const AllocationPolicy& policy = policies[i];
    if (&policy == choice.policy || !Selects(policy, executable)) continue;
    std::string why = choice.judgements[i].why;
    if (choice.judgements[i].fits) {
      why = policy.spec.priority == choice.policy->spec.priority
                ? "the same priority, and its name comes later"
                : "lower priority";
    }
    report.passed_over.push_back(
        absl::StrCat(policy.metadata.name, " (priority ", policy.spec.priority, "): ", why));
  }
}

// The lowest of three, and which one that is.
void AddMode(const AllocationPolicy& policy, const ModeCaps& caps, ExplainReport& report) {
  const abi::Mode mode = EffectiveMode(policy.spec.mode, caps);
  report.mode = ModeWord(mode);
  if (mode == policy.spec.mode) return;
  const char* const by = caps.override == mode ? kModeOverridePath
                         : caps.agent == mode  ? "the --max-mode of the agent that runs"
                                               : "--max-mode";
  report.mode_why = absl::StrCat("lowered from ", ModeWord(policy.spec.mode), " by ", by);
}

void AddPolicy(const Target& target, const ExplainOptions& options, const PolicySet& set,
               const Host& host, const std::string& shipped, ExplainReport& report) {
  const Choice choice = SelectPolicy(set.policies, target.facts, host.facts);
  AddPassedOver(choice, set.policies, target.program.executable, report);
  if (choice.policy == nullptr) {
    report.why = "since none of those given selects it";
    return;
  }
  const AllocationPolicy& policy = *choice.policy;
  report.policy = policy.metadata.name;
  if (policy.at.source != nullptr) report.where = policy.at.ToString();
  const auto index = static_cast<size_t>(choice.policy - set.policies.data());
  report.is_shipped = options.choice.paths.empty() && IsShipped(policy, shipped);
  report.why = WhyChosen(policy, choice.judgements[index], IsShipped(policy, shipped));
  AddMode(policy, options.choice.caps, report);
}

BudgetReport BudgetsFor(const Target& target, const PolicySet& set, const Host& host) {
  if (target.pid != 0) return BudgetsOf(target.pid, set.budgets, host.processes, host.facts.today);
  return EvaluateBudgets(set.budgets, {{0, target.facts, 0, {}}}, host.facts.today);
}

// Only `run` uses shipped policies: who has no shim is not to have one by those.
absl::Status AddCoverage(const Target& target, const ExplainOptions& options, PolicySet set,
                         ExplainReport& report) {
  if (target.pid == 0) return absl::OkStatus();
  for (AllocationPolicy& policy : set.policies) {
    policy.spec.mode = EffectiveMode(policy.spec.mode, options.choice.caps);
  }
  auto coverage = ReadCoverageOf(target.pid, std::make_shared<const PolicySet>(std::move(set)));
  if (!coverage.ok()) return coverage.status();
  if (coverage->has_shim || !report.is_shipped) report.coverage = std::move(coverage->judged);
  return absl::OkStatus();
}

absl::StatusOr<ExplainReport> Explain(const Target& target, const ExplainOptions& options,
                                      const PolicySet& set, const Host& host,
                                      const std::string& shipped) {
  const absl::StatusOr<Closure> closure =
      target.pid != 0 ? ReadProcessClosure(target.pid)
                      : ReadClosure(target.program.executable, ReadLoaderCache());
  if (!closure.ok()) return closure.status();
  ExplainReport report;
  report.executable = target.program.executable;
  report.pid = target.pid;
  report.cgroup = target.facts.cgroup.value_or("");
  for (const LoadedModule& module : closure->modules) report.modules.push_back(module.path);
  report.problems = closure->problems;
  AddPolicy(target, options, set, host, shipped, report);
  if (const absl::Status status = AddCoverage(target, options, set, report); !status.ok()) {
    return status;
  }
  report.budgets = BudgetsFor(target, set, host);
  const Choice choice = SelectPolicy(set.policies, target.facts, host.facts);
  if (choice.policy != nullptr) {
    report.rules = ExplainRules(*choice.policy, set.presets, *closure);
  }
  return report;
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

void Print(const std::vector<ExplainReport>& reports, const ExplainOptions& options) {
  if (options.json && !options.target.unit.empty()) return PrintExplainJson(reports, std::cout);
  for (size_t i = 0; i < reports.size(); ++i) {
    if (options.json) {
      PrintExplainJson(reports[i], std::cout);
    } else {
      if (i > 0) std::cout << "\n";
      PrintExplainTable(reports[i], options.all, std::cout);
    }
  }
}

absl::StatusOr<ModeCaps> Caps(const std::string& max_mode) {
  const absl::StatusOr<std::optional<abi::Mode>> override = ReadModeOverride();
  if (!override.ok()) return override.status();
  const absl::StatusOr<std::optional<abi::Mode>> agent = ReadAgentMaxMode(kHostRuntimeDirectory);
  if (!agent.ok()) return agent.status();
  return ModeCaps{ParseMode(max_mode), *agent, *override};
}

int RunExplain(ExplainOptions options) {
  const absl::StatusOr<Locations> locations = FindLocations();
  if (!locations.ok()) return PolicyFail(kExitPartialData, locations.status().message());
  Host host{ReadHostIdentity(), {}};
  const absl::StatusOr<std::vector<Target>> targets = FindTargets(options.target, host);
  if (!targets.ok()) return PolicyFail(kExitPartialData, targets.status().message());
  const absl::StatusOr<ModeCaps> caps = Caps(options.max_mode);
  if (!caps.ok()) return PolicyFail(kExitPartialData, caps.status().message());
  std::vector<ExplainReport> reports;
  int exit_code = kExitClean;
  for (const Target& target : *targets) {
    options.choice.surroundings = target.facts;
    options.choice.host = host.facts;
    Diagnostics diagnostics;
    const PolicySet set =
        LoadChosen(options.choice, target.program, locations->policies, diagnostics);
    if (!diagnostics.empty()) return FailWithDiagnostics(diagnostics);
    ExplainOptions with_caps = options;
    with_caps.choice.caps = *caps;
    absl::StatusOr<ExplainReport> report =
        Explain(target, with_caps, set, host, locations->policies);
    if (!report.ok()) return PolicyFail(kExitPartialData, report.status().message());
    exit_code = std::max(exit_code, ExitCodeOf(*report));
    reports.push_back(*std::move(report));
  }
  Print(reports, options);
  return exit_code;
}

}  // namespace

void AddPolicyExplain(CLI::App& group, int& exit_code) {
  const auto options = std::make_shared<ExplainOptions>();
  CLI::App* explain =
      AddPolicySubcommand(group, "explain", "What a policy does in a program", kHelp);
  CLI::Option* exe = explain->add_option("--exe", options->target.exe);
  CLI::Option* pid = explain->add_option("--pid", options->target.pid)
                         ->check(CLI::Range(1, kMaxPid))
                         ->excludes(exe);
  explain->add_option("--unit", options->target.unit)->excludes(exe)->excludes(pid);
  explain->add_option("--policy", options->choice.paths)->allow_extra_args(false);
  explain->add_option("--policy-dir", options->choice.directories)->allow_extra_args(false);
  explain->add_option("--max-mode", options->max_mode)->check(CLI::IsMember(TextsOf<kModes>()));
  explain->add_flag("--all", options->all);
  explain->add_flag("--json", options->json);
  explain->callback([options, &exit_code] {
    if (options->target.pid == 0 && options->target.exe.empty() && options->target.unit.empty()) {
      exit_code = PolicyFail(kExitUsage,
                             "policy explain: give --exe, --pid or --unit; "
                             "try pagewarden policy explain --help");
      return;
    }
    if (options->choice.directories.empty()) {
      options->choice.directories = DefaultPolicyDirectories();
    }
    options->choice.budgets_suffice = true;
    exit_code = RunExplain(*options);
  });
}

}  // namespace pagewarden
