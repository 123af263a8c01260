// SPDX-License-Identifier: Apache-2.0
// Who asks for memory: the innermost return addresses, without those of
// Pagewarden itself.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace pagewarden::recorder {

// Makes the first unwinding now: it may initialize what must not wait for a
// moment inside malloc.
void PrimeUnwinder();

// The index of the caller's stack in the recording; kNoStack if there is none.
// Counts an allocation of that many bytes there.
uint32_t CaptureStack(size_t bytes);

// A block of that stack, for which that many bytes were asked, held a secret.
void CountHit(uint32_t stack, size_t bytes);

}  // namespace pagewarden::recorder
