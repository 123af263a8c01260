// SPDX-License-Identifier: Apache-2.0
// The subcommands of `pagewarden policy`, one file each, and what they share.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/policy/diagnostics.h"
#include "agent/policy/model.h"

namespace CLI {
class App;
}

namespace pagewarden {

void AddPolicyLint(CLI::App& group, int& exit_code);
void AddPolicyExplain(CLI::App& group, int& exit_code);
void AddPolicyDiff(CLI::App& group, int& exit_code);
void AddPolicyCompile(CLI::App& group, int& exit_code);
void AddPolicySchema(CLI::App& group, int& exit_code);

// A subcommand whose --help is `help`.
CLI::App* AddPolicySubcommand(CLI::App& group, const char* name, const char* what,
                              const char* help);

// Says what failed on stderr; returns `exit_code`.
int PolicyFail(int exit_code, absl::string_view message);

// The same for policies with errors: all of them.
int FailWithDiagnostics(const Diagnostics& diagnostics);

}  // namespace pagewarden
