// SPDX-License-Identifier: Apache-2.0
// errno without libc: through __errno_location, where there is one.
#pragma once

namespace pagewarden {

inline constexpr int kInvalidArgument = 22;
inline constexpr int kOutOfMemory = 12;

void SetErrno(int value);

}  // namespace pagewarden
