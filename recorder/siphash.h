// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4 of one 8-byte word (Aumasson, Bernstein: "SipHash: a fast
// short-input PRF", 2012). Who has key and hash still has to guess the word.
#pragma once

#include <stdint.h>

namespace pagewarden::recording {

struct SipState {
  uint64_t v0, v1, v2, v3;

  static constexpr uint64_t Rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

  constexpr void Round() {
    v0 += v1;
    v1 = Rotate(v1, 13) ^ v0;
    v0 = Rotate(v0, 32);
    v2 += v3;
    v3 = Rotate(v3, 16) ^ v2;
    v0 += v3;
    v3 = Rotate(v3, 21) ^ v0;
    v2 += v1;
    v1 = Rotate(v1, 17) ^ v2;
    v2 = Rotate(v2, 32);
  }

  constexpr void Absorb(uint64_t word) {
    v3 ^= word;
    Round();
    Round();
    v0 ^= word;
  }
};

constexpr uint64_t SipHash(const uint64_t (&key)[2], uint64_t word) {
  SipState state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                 key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
  state.Absorb(word);
  state.Absorb(uint64_t{8} << 56);  // the input's length
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.Round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace pagewarden::recording
