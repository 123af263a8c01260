// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pagewarden {

// OpenSSL wipes whatever it frees, from the start of each program that this is linked into:
// its decoders leave the DER of a key in the heap. From this call on it keeps the numbers of
// keys in locked memory. False: it does not do both, as it has another allocator or no memory.
bool ProtectOpenSslMemory();

}  // namespace pagewarden
