// SPDX-License-Identifier: Apache-2.0
// Writes the scope library of a policy set (preload/abi/scope_library.h): an
// ELF shared object for x86-64 made from nothing but the names of functions.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

// The bytes of the library. Slot i belongs to functions[i]. The library needs
// the shim at `shim_path` (absolute): where the loader cannot find that, it
// refuses the library as well, and the program runs without either.
//
// InvalidArgument: a name that is empty, repeated or not a C identifier, or a
// relative `shim_path`.
absl::StatusOr<std::string> BuildScopeLibrary(const std::vector<std::string>& functions,
                                              absl::string_view shim_path);

}  // namespace pagewarden
