// SPDX-License-Identifier: Apache-2.0
// What the shim says on stderr. Nothing but proven corruption of the fence, or a
// program that cannot go on anyway, ends here.
#pragma once

namespace pagewarden {

// Writes "pagewarden: <what>".
void Warn(const char* what);

// Writes "pagewarden: <what>[: <detail>]" to stderr and raises SIGABRT.
[[noreturn]] void Die(const char* what, const char* detail);

// Writes the same line and exits with 127, as the loader does for a symbol
// that cannot be found.
[[noreturn]] void DieUnbound(const char* function);

}  // namespace pagewarden
