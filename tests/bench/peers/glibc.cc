// SPDX-License-Identifier: Apache-2.0
// The baseline: the C library's heap, wiped by the program, locked by nobody.
#include <stdlib.h>
#include <string.h>

#include "peers/peer.h"
#include "worker.h"

namespace pagewarden::bench {

struct Glibc : PeerDefaults {
  static void* Allocate(size_t bytes) { return malloc(bytes); }
  static void Free(void* secret, size_t bytes) {
    explicit_bzero(secret, bytes);
    free(secret);
  }
};

}  // namespace pagewarden::bench

int main(int argc, char** argv) {
  return pagewarden::bench::Main<pagewarden::bench::Glibc>(argc, argv);
}
