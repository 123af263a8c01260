// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pagewarden {

// OpenSSL wipes whatever it frees, from the start of each program that this is linked into:
// its decoders leave the DER of a key in the heap. From this call on, all that it allocates is
// locked and left out of core dumps, 1 MiB at most. Once, and before other threads use OpenSSL.
// False: it does not do all of that, as it has another allocator, or RLIMIT_MEMLOCK is too low.
bool ProtectOpenSslMemory();

}  // namespace pagewarden
