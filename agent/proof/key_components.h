// SPDX-License-Identifier: Apache-2.0
// The secret numbers of a private key.
//
//   auto components = ComponentsOf(key.get());
//   if (!components.ok()) return components.status();
//   for (const KeyComponent& c : *components) Use(c.name, c.bytes);
#pragma once

#include <openssl/evp.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/proof/secret_bytes.h"

namespace pagewarden {

// A secret number of a key, big-endian without leading zeros.
//
//   rsa.d .p .q .dmp1 .dmq1 .iqmp   as PKCS #1 has them
//   rsa.u                           p⁻¹ mod q: what OpenPGP and libgcrypt keep for iqmp
//   rsa.p-rr .q-rr                  R² mod p, which Montgomery contexts keep beside p: with
//                                   the public modulus it gives p away
//   ec.scalar, dsa.x
//   ed25519.seed                    also the first half of seed ‖ public key
//   ed25519.scalar                  from the seed's SHA-512, as signatures use it
//   x25519.key, ed448.seed, x448.key
struct KeyComponent {
  std::string name;
  SecretBytes bytes;
};

// InvalidArgument: another type of key, an RSA key of more than two primes, or a
// public key.
absl::StatusOr<std::vector<KeyComponent>> ComponentsOf(const EVP_PKEY* key);

// The same from numbers: big-endian. InvalidArgument: p or q has no inverse.
absl::StatusOr<std::vector<KeyComponent>> RsaComponents(ByteView d, ByteView p, ByteView q);
std::vector<KeyComponent> EcComponents(ByteView scalar);
std::vector<KeyComponent> Ed25519Components(ByteView seed);

}  // namespace pagewarden
