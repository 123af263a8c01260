// SPDX-License-Identifier: Apache-2.0
// What `pagewarden verify` prints.
#pragma once

#include <ostream>

#include "agent/proof/verify.h"

namespace pagewarden {

// {schemaVersion, processes, copies, summary}, indented, with a newline.
void PrintJson(const VerifyResult& result, std::ostream& out);

// A row for each copy; where there are many, for each group of copies that
// differ in address only, or in address and form. Then the verdict.
void PrintTable(const VerifyResult& result, std::ostream& out);

// A row for each copy, for scripts: separated by tabs, without heading and verdict.
void PrintPlain(const VerifyResult& result, std::ostream& out);

}  // namespace pagewarden
