// SPDX-License-Identifier: Apache-2.0
// The `pagewarden` command line: parses argv and runs one subcommand.
#pragma once

namespace pagewarden {

// Returns the exit code of the process (agent/base/exit_codes.h).
int RunApp(int argc, char** argv);

}  // namespace pagewarden
