// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pagewarden {

// Whether the file is the runtime of a sanitizer that wants to be before every
// other allocator, and whose leak checker cannot look into a fence.
bool IsSanitizer(const char* path);

}  // namespace pagewarden
