// SPDX-License-Identifier: Apache-2.0
// Where calls of a function can be interposed.
#pragma once

#include <string>
#include <vector>

#include "agent/elf/closure.h"
#include "agent/explain/explanation.h"

namespace pagewarden {

// The `why` of a function that the executable defines.
inline constexpr char kInExecutable[] = "the executable defines it: its own calls are direct";

// `libraries`: patterns of the modules that should export it; may be empty.
PartExplanation ExplainFunction(const std::string& function,
                                const std::vector<std::string>& libraries, const Closure& closure);

}  // namespace pagewarden
