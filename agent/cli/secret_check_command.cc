// SPDX-License-Identifier: Apache-2.0
// Not for users: `pagewarden agent` runs it for each check of secrets (docs/agent.md).
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "agent/cli/commands.h"
#include "agent/secrets/check_server.h"

namespace pagewarden {

void AddSecretCheckCommand(CLI::App& app, int& exit_code) {
  CLI::App* const check =
      app.add_subcommand("secret-check", "One check of secrets, as the agent asks for it");
  check->group("");  // in no help
  check->callback([&exit_code] { exit_code = ServeSecretCheck(STDIN_FILENO); });
}

}  // namespace pagewarden
