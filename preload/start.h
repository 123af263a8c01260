// SPDX-License-Identifier: Apache-2.0
// Start-up: from the policy image to a locked arena, before main.
#pragma once

namespace pagewarden {

// Does everything once; later calls return at once. Runs from the constructor,
// or from the first allocation that finds an environment, whichever is first:
// constructor order is nothing to rely on.
void Start();

// Builds an arena with every protection on where no policy gave one, for a
// program that asks for secret memory itself. Idempotent, thread-safe.
void EnsureFence();

// True once Start has begun: other threads may exist.
bool Started();

}  // namespace pagewarden
