// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pagewarden {

// For the runtime of a sanitizer that wants to be before every other allocator,
// and whose leak checker cannot look into a fence: what to tell the user. Null
// for any other file.
const char* SanitizerRefusal(const char* path);

}  // namespace pagewarden
