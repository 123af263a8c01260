// SPDX-License-Identifier: Apache-2.0
// Writes the scope library of preload/abi/scope_library.h: an ELF shared object
// with one trampoline and one slot for each function of a policy image.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pagewarden {

// The bytes of the .so. Slot i belongs to functions[i]; `shim_path` is the path
// of the shim that binds the slots.
absl::StatusOr<std::string> BuildScopeLibrary(const std::vector<std::string>& functions,
                                              absl::string_view shim_path);

}  // namespace pagewarden
