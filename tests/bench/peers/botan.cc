// SPDX-License-Identifier: Apache-2.0
// What Botan::secure_vector allocates from: its locked pool, then calloc.
#include <botan/mem_ops.h>

#include "peers/peer.h"
#include "worker.h"

namespace pagewarden::bench {

struct Botan : PeerDefaults {
  static void* Allocate(size_t bytes) { return ::Botan::allocate_memory(bytes, 1); }
  static void Free(void* secret, size_t bytes) { ::Botan::deallocate_memory(secret, bytes, 1); }
};

}  // namespace pagewarden::bench

int main(int argc, char** argv) {
  return pagewarden::bench::Main<pagewarden::bench::Botan>(argc, argv);
}
