// SPDX-License-Identifier: Apache-2.0
// Exit codes of every command; `run` passes its child's code through, and uses
// 126 and 127 as shells do.
#pragma once

namespace pagewarden {

inline constexpr int kExitClean = 0;
inline constexpr int kExitFindings = 1;  // verify: a copy is not fenced
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInvalidPolicy = 3;
inline constexpr int kExitPartialData = 4;  // something could not be read
inline constexpr int kExitUnreachable = 5;  // agent or server
inline constexpr int kExitNoneFound = 5;    // verify: no copy of the secret at all
inline constexpr int kExitCannotExecute = 126;
inline constexpr int kExitNotFound = 127;

}  // namespace pagewarden
