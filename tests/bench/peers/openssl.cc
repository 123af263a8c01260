// SPDX-License-Identifier: Apache-2.0
// OpenSSL's secure heap: one arena, its size fixed at the start.
#include <openssl/crypto.h>

#include "peers/peer.h"
#include "worker.h"

namespace pagewarden::bench {

struct Openssl : PeerDefaults {
  // 2 means that the arena is there but could not be locked.
  static bool Start(size_t secrets) {
    size_t arena = 1;
    while (arena < secrets * kSecretBytes) arena *= 2;
    return CRYPTO_secure_malloc_init(arena, kSecretBytes) != 0;
  }
  static void* Allocate(size_t bytes) { return OPENSSL_secure_malloc(bytes); }
  static void Free(void* secret, size_t bytes) { OPENSSL_secure_clear_free(secret, bytes); }
};

}  // namespace pagewarden::bench

int main(int argc, char** argv) {
  return pagewarden::bench::Main<pagewarden::bench::Openssl>(argc, argv);
}
