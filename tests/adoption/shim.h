// SPDX-License-Identifier: Apache-2.0
// The part of the shim that judges, as an ordinary library: from the live image to the fence.
#pragma once

#include <cstddef>
#include <string>

namespace pagewarden {

// What Start does for a process whose live image is at `path`. Aborts if anything fails.
void StartFollowing(const std::string& path);

// As the exports do it.
void* Malloc(size_t bytes);
void* Realloc(void* block, size_t bytes);
void Free(void* block);

bool IsFenced(const void* block);

}  // namespace pagewarden
