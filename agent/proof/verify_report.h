// SPDX-License-Identifier: Apache-2.0
// What `pagewarden verify` prints.
#pragma once

#include <ostream>
#include <string>

#include "agent/proof/verify.h"

namespace pagewarden {

// {schemaVersion, processes, copies, summary}, indented, with a newline.
void PrintJson(const VerifyResult& result, std::ostream& out);

// A row for each copy, and the verdict.
void PrintTable(const VerifyResult& result, std::ostream& out);

// The same rows for scripts: separated by tabs, without heading and verdict.
void PrintPlain(const VerifyResult& result, std::ostream& out);

// "28 copies in 3 processes: 28 fenced, 0 not fenced"
std::string Verdict(const VerifyResult& result);

// agent/base/exit_codes.h. What could not be read outweighs what was found.
int ExitCode(const VerifyResult& result);

}  // namespace pagewarden
