// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/app.h"

#include <CLI/CLI.hpp>

#include "agent/base/exit_codes.h"
#include "agent/cli/commands.h"

namespace pagewarden {

int RunApp(int argc, char** argv) {
  CLI::App app{"Fences the secrets of unmodified programs and audits locked memory.", "pagewarden"};
  app.require_subcommand(1);
  app.footer("Examples and options of each: pagewarden SUBCOMMAND --help");
  int exit_code = kExitClean;
  AddRunCommand(app, exit_code);
  AddAuditCommand(app, exit_code);
  AddDoctorCommand(app, exit_code);
  AddVerifyCommand(app, exit_code);
  AddLearnCommand(app, exit_code);
  AddAgentCommand(app, exit_code);
  AddEventsCommand(app, exit_code);
  AddPolicyCommand(app, exit_code);
  AddMetricsCommand(app, exit_code);
  AddFleetCommand(app, exit_code);
  AddSecretCheckCommand(app, exit_code);
  AddVersionCommand(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitClean : kExitUsage;
  }
  return exit_code;
}

}  // namespace pagewarden
