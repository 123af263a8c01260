// SPDX-License-Identifier: Apache-2.0
// The subcommands of `pagewarden`, one file each. Add…Command registers the
// options; the callback sets `exit_code` (agent/base/exit_codes.h).
#pragma once

namespace CLI {
class App;
}

namespace pagewarden {

void AddRunCommand(CLI::App& app, int& exit_code);
void AddDoctorCommand(CLI::App& app, int& exit_code);
void AddVerifyCommand(CLI::App& app, int& exit_code);
void AddAuditCommand(CLI::App& app, int& exit_code);
void AddAgentCommand(CLI::App& app, int& exit_code);
void AddEventsCommand(CLI::App& app, int& exit_code);
void AddLearnCommand(CLI::App& app, int& exit_code);
void AddMetricsCommand(CLI::App& app, int& exit_code);
void AddPolicyCommand(CLI::App& app, int& exit_code);
void AddSecretCheckCommand(CLI::App& app, int& exit_code);
void AddFleetCommand(CLI::App& app, int& exit_code);
void AddVersionCommand(CLI::App& app, int& exit_code);

}  // namespace pagewarden
