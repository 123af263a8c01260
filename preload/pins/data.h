// SPDX-License-Identifier: Apache-2.0
// `pin.data`: the writable segments (.data, .bss) of the modules that the policy
// names, less what the loader makes read-only.
#pragma once

#include "preload/pins/modules.h"

namespace pagewarden {

// For Start: those that are loaded.
void StartPinningData(const ModulePatterns& patterns);

// Looks whether modules came or went since, and pins what came. Called before fork,
// dlopen and dlsym: dlopen itself is jumped to (exports_loader.cc), so the shim
// does not see it return.
void NoticeModules();

}  // namespace pagewarden
