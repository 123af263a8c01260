// SPDX-License-Identifier: Apache-2.0
// What the shim says on stderr. Nothing but proven corruption of the fence, or a
// program that cannot go on anyway, ends here.
#pragma once

#include <stdint.h>

#include "preload/abi/ledger.h"

namespace pagewarden {

// Writes "pagewarden: <what>".
void Warn(const char* what);

// Where in the fence something went wrong: names and sizes, never contents. Null
// or 0: not known.
struct Place {
  const char* arena;
  const char* rule;
  uint64_t block_bytes;
  uint64_t slot_bytes;
};

// Writes "pagewarden: <what>[: arena …, rule …, block of … bytes]" to stderr and
// raises SIGABRT.
[[noreturn]] void Die(const char* what, const Place& place = {});

// The same, after it is counted in the ledger.
[[noreturn]] void Die(abi::Violation violation, const char* what, const Place& place = {});

// Writes the same line and exits with 127, as the loader does for a symbol
// that cannot be found.
[[noreturn]] void DieUnbound(const char* function);

}  // namespace pagewarden
