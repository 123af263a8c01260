// SPDX-License-Identifier: Apache-2.0
#include <mimalloc.h>
#include <string.h>

#include "peers/peer.h"
#include "worker.h"

namespace pagewarden::bench {

struct Mimalloc : PeerDefaults {
  static void* Allocate(size_t bytes) { return mi_malloc(bytes); }
  static void Free(void* secret, size_t bytes) {
    explicit_bzero(secret, bytes);
    mi_free(secret);
  }
};

}  // namespace pagewarden::bench

int main(int argc, char** argv) {
  return pagewarden::bench::Main<pagewarden::bench::Mimalloc>(argc, argv);
}
