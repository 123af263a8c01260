// SPDX-License-Identifier: Apache-2.0
// Tells whether memory holds a copy of a secret, from hashes of its windows.
#pragma once

#include <stddef.h>

namespace pagewarden::recorder {

// True when a run of intact bytes that makes a copy lies in [data, data + bytes).
// Needs a session.
bool HoldsSecret(const void* data, size_t bytes);

}  // namespace pagewarden::recorder
