// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>

#include "agent/base/exit_codes.h"
#include "agent/cli/commands.h"

namespace pagewarden {

void AddVersionCommand(CLI::App& app, int& exit_code) {
  app.add_subcommand("version", "Print the version")->callback([&exit_code] {
    std::cout << "pagewarden " PAGEWARDEN_VERSION "\n";
    exit_code = kExitClean;
  });
}

}  // namespace pagewarden
