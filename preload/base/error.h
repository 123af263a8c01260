// SPDX-License-Identifier: Apache-2.0
// errno without libc: through __errno_location, where there is one.
#pragma once

namespace pagewarden {

inline constexpr int kNoEntry = 2;
inline constexpr int kOutOfMemory = 12;
inline constexpr int kInvalidArgument = 22;
inline constexpr int kNoSpace = 28;

void SetErrno(int value);
int GetErrno();

}  // namespace pagewarden
