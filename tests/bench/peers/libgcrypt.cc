// SPDX-License-Identifier: Apache-2.0
// libgcrypt's secure memory: one pool, its size fixed at the start.
#include <gcrypt.h>

#include "peers/peer.h"
#include "worker.h"

namespace pagewarden::bench {

struct Libgcrypt : PeerDefaults {
  static constexpr size_t kPoolBytesPerSecret = 80;  // the block, its header, some room

  static bool Start(size_t secrets) {
    if (gcry_check_version(nullptr) == nullptr) return false;
    // An error means that the pool is there but could not be locked.
    gcry_control(GCRYCTL_INIT_SECMEM, secrets * kPoolBytesPerSecret, 0);
    return gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0) == 0;
  }
  static void* Allocate(size_t bytes) { return gcry_malloc_secure(bytes); }
  static void Free(void* secret, size_t) { gcry_free(secret); }
};

}  // namespace pagewarden::bench

int main(int argc, char** argv) {
  return pagewarden::bench::Main<pagewarden::bench::Libgcrypt>(argc, argv);
}
