// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/key_components.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/sha.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace pagewarden {
namespace {

struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
};
using Number = std::unique_ptr<BIGNUM, FreeNumber>;

struct FreeContext {
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};

constexpr int kLimbBits = 64;
constexpr size_t kEd25519Bytes = 32;
constexpr size_t kMaxNumberBytes = 2048;  // OPENSSL_RSA_MAX_MODULUS_BITS; more takes for ever

struct RawKeyType {
  const char* type;  // OpenSSL's name
  const char* component;
};
constexpr RawKeyType kRawKeyTypes[] = {
    {"X25519", "x25519.key"}, {"ED448", "ed448.seed"}, {"X448", "x448.key"}};

Number FromBytes(ByteView bytes) {
  Number number(BN_secure_new());
  BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), number.get());
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

SecretBytes ToBytes(const BIGNUM* number) {
  SecretBytes bytes(static_cast<size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  return bytes;
}

SecretBytes WithoutLeadingZeros(ByteView bytes) {
  const auto first =
      std::find_if(bytes.begin(), bytes.end(), [](unsigned char byte) { return byte != 0; });
  return SecretBytes(first, bytes.end());
}

absl::StatusOr<SecretBytes> Parameter(const EVP_PKEY* key, const char* parameter) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, parameter, &number) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("a public key, or a private key that is not complete");
  }
  const Number owned(number);
  return ToBytes(number);
}

bool HasThirdPrime(const EVP_PKEY* key) {
  return Parameter(key, OSSL_PKEY_PARAM_RSA_FACTOR3).ok();
}

absl::StatusOr<std::vector<KeyComponent>> RsaComponentsOf(const EVP_PKEY* key) {
  if (HasThirdPrime(key)) {
    return absl::InvalidArgumentError("RSA keys of more than two primes are not supported");
  }
  const auto d = Parameter(key, OSSL_PKEY_PARAM_RSA_D);
  const auto p = Parameter(key, OSSL_PKEY_PARAM_RSA_FACTOR1);
  const auto q = Parameter(key, OSSL_PKEY_PARAM_RSA_FACTOR2);
  for (const auto* number : {&d, &p, &q}) {
    if (!number->ok()) return number->status();
  }
  return RsaComponents(*d, *p, *q);
}

absl::StatusOr<SecretBytes> RawPrivateKey(const EVP_PKEY* key) {
  size_t bytes = 0;
  if (EVP_PKEY_get_raw_private_key(key, nullptr, &bytes) == 1) {
    SecretBytes raw(bytes);
    if (EVP_PKEY_get_raw_private_key(key, raw.data(), &bytes) == 1) return raw;
  }
  ERR_clear_error();
  return absl::InvalidArgumentError("a public key");
}

// x mod (prime − 1)
Number ReducedExponent(const BIGNUM* x, const BIGNUM* prime, BN_CTX* context) {
  Number less_one(BN_dup(prime));
  Number reduced(BN_secure_new());
  BN_sub_word(less_one.get(), 1);
  return BN_mod(reduced.get(), x, less_one.get(), context) == 1 ? std::move(reduced) : nullptr;
}

Number Inverse(const BIGNUM* number, const BIGNUM* modulus, BN_CTX* context) {
  Number inverse(BN_secure_new());
  return BN_mod_inverse(inverse.get(), number, modulus, context) != nullptr ? std::move(inverse)
                                                                            : nullptr;
}

// R² mod prime, for the smallest power R of 2⁶⁴ above it.
Number MontgomerySquare(const BIGNUM* prime, BN_CTX* context) {
  const int limbs = (BN_num_bits(prime) + kLimbBits - 1) / kLimbBits;
  Number square(BN_secure_new());
  Number result(BN_secure_new());
  BN_set_bit(square.get(), 2 * limbs * kLimbBits);
  return BN_mod(result.get(), square.get(), prime, context) == 1 ? std::move(result) : nullptr;
}

}  // namespace

absl::StatusOr<std::vector<KeyComponent>> RsaComponents(ByteView d_bytes, ByteView p_bytes,
                                                        ByteView q_bytes) {
  for (const ByteView bytes : {d_bytes, p_bytes, q_bytes}) {
    if (bytes.size() <= kMaxNumberBytes + 1) continue;  // and a leading zero
    return absl::InvalidArgumentError("an RSA key of more than 16384 bits");
  }
  const Number d = FromBytes(d_bytes);
  const Number p = FromBytes(p_bytes);
  const Number q = FromBytes(q_bytes);
  const std::unique_ptr<BN_CTX, FreeContext> context(BN_CTX_secure_new());
  const std::pair<const char*, Number> derived[] = {
      {"rsa.dmp1", ReducedExponent(d.get(), p.get(), context.get())},
      {"rsa.dmq1", ReducedExponent(d.get(), q.get(), context.get())},
      {"rsa.iqmp", Inverse(q.get(), p.get(), context.get())},
      {"rsa.u", Inverse(p.get(), q.get(), context.get())},
      {"rsa.p-rr", MontgomerySquare(p.get(), context.get())},
      {"rsa.q-rr", MontgomerySquare(q.get(), context.get())}};
  std::vector<KeyComponent> components;
  components.push_back({"rsa.d", ToBytes(d.get())});
  components.push_back({"rsa.p", ToBytes(p.get())});
  components.push_back({"rsa.q", ToBytes(q.get())});
  for (const auto& [name, number] : derived) {
    if (number == nullptr) {
      ERR_clear_error();
      return absl::InvalidArgumentError("an RSA key whose numbers do not belong together");
    }
    components.push_back({name, ToBytes(number.get())});
  }
  return components;
}

std::vector<KeyComponent> EcComponents(ByteView scalar) {
  std::vector<KeyComponent> components;
  components.push_back({"ec.scalar", WithoutLeadingZeros(scalar)});
  return components;
}

// RFC 8032, 5.1.5.
std::vector<KeyComponent> Ed25519Components(ByteView seed) {
  SecretBytes expanded(SHA512_DIGEST_LENGTH);
  SHA512(seed.data(), seed.size(), expanded.data());
  expanded.resize(kEd25519Bytes);
  expanded.front() &= 0xf8;
  expanded.back() = static_cast<unsigned char>((expanded.back() & 0x7f) | 0x40);
  std::vector<KeyComponent> components;
  components.push_back({"ed25519.seed", SecretBytes(seed.begin(), seed.end())});
  components.push_back({"ed25519.scalar", SecretBytes(expanded.rbegin(), expanded.rend())});
  return components;
}

absl::StatusOr<std::vector<KeyComponent>> ComponentsOf(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1) {
    return RsaComponentsOf(key);
  }
  for (const auto& [type, name] : {std::pair("EC", "ec.scalar"), std::pair("DSA", "dsa.x")}) {
    if (EVP_PKEY_is_a(key, type) != 1) continue;
    auto number = Parameter(key, OSSL_PKEY_PARAM_PRIV_KEY);
    if (!number.ok()) return number.status();
    std::vector<KeyComponent> components;
    components.push_back({name, *std::move(number)});
    return components;
  }
  auto raw = RawPrivateKey(key);
  if (EVP_PKEY_is_a(key, "ED25519") == 1 && raw.ok()) return Ed25519Components(*raw);
  for (const RawKeyType& known : kRawKeyTypes) {
    if (EVP_PKEY_is_a(key, known.type) != 1 || !raw.ok()) continue;
    std::vector<KeyComponent> components;
    components.push_back({known.component, *std::move(raw)});
    return components;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      EVP_PKEY_get0_type_name(key), " keys are not supported, or this is a public one"));
}

}  // namespace pagewarden
