// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/commands.h"
#include "agent/daemon/runtime_lock.h"
#include "agent/policy/directories.h"
#include "agent/policy/live_images.h"
#include "agent/policy/modes.h"
#include "agent/policy/publish.h"
#include "agent/run/choose_policies.h"
#include "agent/run/environment.h"
#include "agent/run/image_policies.h"
#include "agent/run/locations.h"
#include "agent/run/preflight.h"
#include "preload/abi/environment.h"

namespace pagewarden {
namespace {

constexpr char kHelp[] = R"(Run a program with its secrets fenced.

Examples:
  pagewarden run -- nginx -g 'daemon off;'        with the policy shipped for nginx
  pagewarden run -- curl --key k.pem https://…    with all shipped presets
  pagewarden run --policy team.yaml -- ./server   with your own policy
  pagewarden run --mode Audit -- ./server         only count what would be fenced

Without --policy, those of the drop-in directories /usr/lib/pagewarden/policy.d,
/etc/pagewarden/policy.d and /run/pagewarden/policy.d come first.

Usage:
  pagewarden run [--policy FILE-OR-DIR]... [--mode MODE] -- COMMAND [ARGUMENT...]

Options:
  --policy FILE-OR-DIR   use these policies instead of the shipped ones; a directory
                         stands for its *.yaml files; may be given several times
                         Without it and --mode, root's programs follow what is published
                         for their cgroup later, without a restart
  --mode MODE            lower the mode of every policy to at most
                         Disabled, Audit or Enforce; so do the word in
                         /run/pagewarden/mode and the --max-mode of the host's agent
  -h, --help             print this help

COMMAND takes the place of pagewarden: pid, signals and exit code are its own.
Warnings never stop it. Exit codes of pagewarden itself: 2 usage, 3 invalid policy,
126 COMMAND cannot be executed, 127 COMMAND not found.
)";

struct RunOptions {
  PolicyChoice choice;
  std::string mode;
  std::vector<std::string> command;
};

int Fail(int exit_code, absl::string_view message) {
  std::cerr << "pagewarden: " << message << "\n";
  return exit_code;
}

void Warn(const std::string& message) { std::cerr << "pagewarden: warning " << message << "\n"; }

void Warn(const Finding& finding) {
  Warn(absl::StrCat(OneLine(finding), ". `pagewarden doctor -- COMMAND` says what to do"));
}

void WarnOfPolicy(const Program& program, const AllocationPolicy& policy) {
  const absl::StatusOr<MemlockLimits> limits = ReadMemlockLimits(getpid());
  const MemlockNeed need{LockedAtStart(policy), MayGrow(policy)};
  if (limits.ok()) {
    const auto finding = CheckMemlock(program.executable, need, *limits, WillHaveUsableIpcLock());
    if (finding) Warn(*finding);
  }
  const auto finding = CheckSecretMemory(policy);
  if (finding) Warn(*finding);
}

int FailWithDiagnostics(const Diagnostics& diagnostics) {
  std::cerr << diagnostics.Render();
  const char* noun = diagnostics.count() == 1 ? " error" : " errors";
  return Fail(kExitInvalidPolicy, absl::StrCat("invalid policy: ", diagnostics.count(), noun,
                                               "; the command was not started"));
}

// Why none of the policies for an executable applies to it here.
std::string WhyUnfenced(const Program& program, const PolicyChoice& choice, const PolicySet& set) {
  Surroundings facts = choice.surroundings;
  facts.executable = program.executable;
  std::string why;
  for (const AllocationPolicy& policy : set.policies) {
    if (!Selects(policy, program.executable)) continue;
    absl::StrAppend(&why, "; ", policy.metadata.name, ": ", Judge(policy, facts, choice.host).why);
  }
  return absl::StrCat("no policy selects ", program.executable, ": it runs unfenced", why);
}

void WarnIfUnfenced(const Program& program, const std::vector<AllocationPolicy>& policies,
                    const PolicyChoice& choice, const PolicySet& set) {
  for (const Finding& finding : CheckPreloadable(program.executable)) Warn(finding);
  const char* disabled = getenv(abi::kDisabledVariable);
  if (disabled != nullptr && disabled[0] != '\0') {
    Warn(absl::StrCat(abi::kDisabledVariable, " is set: nothing is fenced"));
  }
  const AllocationPolicy* policy = FindPolicyFor(program.executable, policies);
  if (policy == nullptr) {
    Warn(WhyUnfenced(program, choice, set));
  } else if (policy->spec.mode == abi::Mode::kEnforce) {
    WarnOfPolicy(program, *policy);
  }
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> CurrentEnvironment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  return variables;
}

// Returns only if the program could not be executed.
int Execute(const Program& program, std::vector<std::string> arguments,
            std::vector<std::string> environment) {
  RaiseMemlockLimit();
  execve(program.path.c_str(), Pointers(arguments).data(), Pointers(environment).data());
  const int error = errno;
  return Fail(error == ENOENT ? kExitNotFound : kExitCannotExecute,
              absl::StrCat(program.path, ": ", strerror(error)));
}

absl::StatusOr<PolicyChoice> ChoiceForThisProcess(PolicyChoice choice) {
  choice.directories = DefaultPolicyDirectories();
  choice.surroundings = ReadOwnSurroundings();
  choice.host = ReadHostIdentity();
  const absl::StatusOr<std::optional<abi::Mode>> override = ReadModeOverride();
  if (!override.ok()) return override.status();
  const absl::StatusOr<std::optional<abi::Mode>> agent = ReadAgentMaxMode(kHostRuntimeDirectory);
  if (!agent.ok()) return agent.status();
  choice.caps.override = *override;
  choice.caps.agent = *agent;
  return choice;
}

// Root's programs follow what is published for their cgroup, by the agent or by another run.
bool FollowsCgroup(const PolicyChoice& choice) {
  return geteuid() == 0 && choice.paths.empty() && !choice.caps.max.has_value() &&
         choice.surroundings.cgroup.has_value();
}

absl::StatusOr<PublishedPolicy> Publish(const PolicyChoice& choice, const PolicySet& set,
                                        const std::vector<AllocationPolicy>& policies,
                                        const std::string& shim) {
  absl::StatusOr<OwnedDirectory> runtime = OpenRuntimeDirectory();
  if (!runtime.ok()) return runtime.status();
  if (!choice.all_shipped) return PublishPolicies(policies, shim, *runtime);
  absl::StatusOr<LiveImages> images =
      LiveImages::Open(*std::move(runtime), shim, PresetFunctions(set.presets));
  if (!images.ok()) return images.status();
  const absl::StatusOr<LiveImage> image = images->Publish(*choice.surroundings.cgroup, policies);
  if (!image.ok()) return image.status();
  return PublishedPolicy{image->image_path, image->scopes_path};
}

int Run(const RunOptions& options) {
  const absl::StatusOr<Program> program = FindProgram(options.command.front(), getenv("PATH"));
  if (!program.ok()) {
    return Fail(absl::IsNotFound(program.status()) ? kExitNotFound : kExitCannotExecute,
                program.status().message());
  }
  const absl::StatusOr<Locations> locations = FindLocations();
  if (!locations.ok()) return Fail(kExitCannotExecute, locations.status().message());
  absl::StatusOr<PolicyChoice> choice = ChoiceForThisProcess(options.choice);
  if (!choice.ok()) return Fail(kExitCannotExecute, choice.status().message());
  choice->all_shipped = FollowsCgroup(*choice);
  Diagnostics diagnostics;
  const PolicySet set = LoadChosen(*choice, *program, locations->policies, diagnostics);
  if (!diagnostics.empty()) return FailWithDiagnostics(diagnostics);
  const std::vector<AllocationPolicy> policies =
      ForImage(set.policies, choice->surroundings, choice->host);
  const absl::StatusOr<PublishedPolicy> published =
      Publish(*choice, set, policies, locations->shim);
  if (!published.ok()) return Fail(kExitCannotExecute, published.status().message());
  WarnIfUnfenced(*program, policies, *choice, set);
  const AllocationPolicy* policy = FindPolicyFor(program->executable, policies);
  const auto variables =
      policy == nullptr ? std::map<std::string, std::string>{} : policy->spec.environment;
  return Execute(*program, options.command,
                 ShimEnvironment(CurrentEnvironment(), *published, locations->shim, variables));
}

}  // namespace

void AddRunCommand(CLI::App& app, int& exit_code) {
  CLI::App* run = app.add_subcommand("run", "Run a program with its secrets fenced");
  const auto options = std::make_shared<RunOptions>();
  run->formatter_fn([](const CLI::App*, const std::string&, CLI::AppFormatMode) { return kHelp; });
  // One value each time: a list would swallow the command.
  run->add_option("--policy", options->choice.paths)->allow_extra_args(false);
  run->add_option("--mode", options->mode)->check(CLI::IsMember(TextsOf<kModes>()));
  run->add_option("command", options->command);
  run->positionals_at_end();  // what follows COMMAND is its own, even without --
  run->callback([options, &exit_code] {
    if (options->command.empty()) {
      exit_code = Fail(kExitUsage, "run: no command given; try pagewarden run --help");
      return;
    }
    options->choice.caps.max = ParseMode(options->mode);
    exit_code = Run(*options);
  });
}

}  // namespace pagewarden
