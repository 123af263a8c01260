// SPDX-License-Identifier: Apache-2.0
// What every measurement does with a peer's secrets.
#pragma once

#include <string.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "peers/peer.h"
#include "timing.h"

namespace pagewarden::bench {

// Calls `body` where the peer's allocations are secret.
template <typename Peer, typename Body>
void Inside(Body body) {
  Peer::Inside([](void* data) { (*static_cast<Body*>(data))(); }, &body);
}

// Null when the peer has no more.
template <typename Peer>
void* WrittenSecret() {
  void* const secret = Peer::Allocate(kSecretBytes);
  if (secret == nullptr) return nullptr;
  memset(secret, 0xa5, kSecretBytes);
  KeepAlive(secret);
  return secret;
}

template <typename Peer>
void Pair() {
  void* const secret = WrittenSecret<Peer>();
  if (secret == nullptr) {
    fprintf(stderr, "bench: the peer refused a secret\n");
    exit(1);
  }
  Peer::Free(secret, kSecretBytes);
}

template <typename Peer>
void DoPairs(size_t pairs) {
  for (size_t i = 0; i < pairs; ++i) Pair<Peer>();
}

// Secrets that stay, for the pairs to work beside.
template <typename Peer>
std::vector<void*> LiveSecrets(size_t count) {
  std::vector<void*> live;
  live.reserve(count);
  Inside<Peer>([&] {
    for (size_t i = 0; i < count; ++i) live.push_back(WrittenSecret<Peer>());
  });
  return live;
}

}  // namespace pagewarden::bench
