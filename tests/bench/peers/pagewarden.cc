// SPDX-License-Identifier: Apache-2.0
// An unmodified program: malloc and free, within a function that the policy
// names. It must be started under the shim, which wipes.
#include <stdio.h>
#include <stdlib.h>

#include "libbench.h"
#include "peers/peer.h"
#include "worker.h"

namespace pagewarden::bench {

struct Pagewarden : PeerDefaults {
  static bool Start(size_t) {
    const bool fenced = getenv("PAGEWARDEN_IMAGE") != nullptr;
    if (!fenced) fprintf(stderr, "peer_pagewarden: no shim : PAGEWARDEN_IMAGE is not set\n");
    return fenced;
  }
  static void* Allocate(size_t bytes) { return malloc(bytes); }
  static void Free(void* secret, size_t) { free(secret); }
  static void Inside(void (*body)(void*), void* data) { bench_extent(body, data); }
};

}  // namespace pagewarden::bench

int main(int argc, char** argv) {
  return pagewarden::bench::Main<pagewarden::bench::Pagewarden>(argc, argv);
}
