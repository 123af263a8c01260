// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "agent/base/exit_codes.h"
#include "agent/cli/commands.h"
#include "agent/cli/policy_commands.h"

namespace pagewarden {
namespace {

constexpr char kHelp[] = R"(Check policies, and see what they come to in a program.

Usage:
  pagewarden policy lint [FILE-OR-DIR]...          all errors and warnings at once
  pagewarden policy explain --exe|--pid|--unit …   which policy wins and why, which budget binds
  pagewarden policy diff [[BEFORE] AFTER]          what changes between two sets, or from the
                                                   running agent's
  pagewarden policy compile FILE-OR-DIR... -o DIR  for programs that `run` does not start
  pagewarden policy schema [FIELD]                 what the language accepts

Help on each: pagewarden policy explain --help
)";

}  // namespace

CLI::App* AddPolicySubcommand(CLI::App& group, const char* name, const char* what,
                              const char* help) {
  CLI::App* command = group.add_subcommand(name, what);
  command->formatter_fn([help](const CLI::App*, const std::string&, CLI::AppFormatMode) {
    return std::string(help);
  });
  return command;
}

int PolicyFail(int exit_code, absl::string_view message) {
  std::cerr << "pagewarden: " << message << "\n";
  return exit_code;
}

int FailWithDiagnostics(const Diagnostics& diagnostics) {
  std::cerr << diagnostics.Render();
  return PolicyFail(kExitInvalidPolicy,
                    absl::StrCat("invalid policy: ", diagnostics.count(),
                                 diagnostics.count() == 1 ? " error" : " errors"));
}

void AddPolicyCommand(CLI::App& app, int& exit_code) {
  CLI::App* policy =
      AddPolicySubcommand(app, "policy", "Check policies, and explain them for a program", kHelp);
  policy->require_subcommand(1);
  AddPolicyLint(*policy, exit_code);
  AddPolicyExplain(*policy, exit_code);
  AddPolicyDiff(*policy, exit_code);
  AddPolicyCompile(*policy, exit_code);
  AddPolicySchema(*policy, exit_code);
}

}  // namespace pagewarden
