// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pagewarden {

// From now on OpenSSL keeps the numbers of keys in locked memory, and wipes
// whatever else it frees: its decoders leave the DER of a key in the heap. Takes
// effect only before this program's first use of OpenSSL.
void ProtectOpenSslMemory();

}  // namespace pagewarden
