// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "agent/shim/shim_state.h"

namespace pagewarden {

// Which guard of the fence an address is: "before the tables", "before arena keys",
// "between arenas keys and pins", "after arena pins", or "inside arena keys", where
// part of it is not there. Empty: not in the fence. The layout is that of
// preload/fence/fence.h; a page is 4096 bytes.
std::string GuardPlace(const ShimState& shim, uint64_t address);

}  // namespace pagewarden
