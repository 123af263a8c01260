// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pagewarden {

// A library goes into a namespace of its own, with a libc that the shim is not
// in front of: allocations there are seen by nobody.
void CountNamespace();

}  // namespace pagewarden
