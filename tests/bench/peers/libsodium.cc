// SPDX-License-Identifier: Apache-2.0
#include <sodium.h>

#include "peers/peer.h"
#include "worker.h"

namespace pagewarden::bench {

struct Libsodium : PeerDefaults {
  static bool Start(size_t) { return sodium_init() >= 0; }
  static void* Allocate(size_t bytes) { return sodium_malloc(bytes); }
  static void Free(void* secret, size_t) { sodium_free(secret); }
};

}  // namespace pagewarden::bench

int main(int argc, char** argv) {
  return pagewarden::bench::Main<pagewarden::bench::Libsodium>(argc, argv);
}
