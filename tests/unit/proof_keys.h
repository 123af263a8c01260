// SPDX-License-Identifier: Apache-2.0
// Fresh keys for the tests of agent/proof, in every encoding.
#pragma once

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>

namespace pagewarden {

struct FreeTestKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using TestKey = std::unique_ptr<EVP_PKEY, FreeTestKey>;

inline TestKey NewRsaKey() { return TestKey(EVP_RSA_gen(2048)); }
inline TestKey NewEcKey(const char* curve = "P-256") { return TestKey(EVP_EC_gen(curve)); }

inline std::string Drain(BIO* bio) {
  char* data = nullptr;
  const long bytes = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(bytes));
  BIO_free(bio);
  return text;
}

inline std::string Pkcs8Pem(const TestKey& key, const EVP_CIPHER* cipher = nullptr) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key.get(), cipher, "secret", cipher == nullptr ? 0 : 6,
                                nullptr, nullptr);
  return Drain(bio);
}

inline std::string TraditionalPem(const TestKey& key, const EVP_CIPHER* cipher = nullptr) {
  BIO* bio = BIO_new(BIO_s_mem());
  unsigned char passphrase[] = "secret";
  PEM_write_bio_PrivateKey_traditional(bio, key.get(), cipher,
                                       cipher == nullptr ? nullptr : passphrase,
                                       cipher == nullptr ? 0 : 6, nullptr, nullptr);
  return Drain(bio);
}

inline std::string PublicPem(const TestKey& key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, key.get());
  return Drain(bio);
}

inline std::string Der(const TestKey& key) {
  BIO* bio = BIO_new(BIO_s_mem());
  i2d_PrivateKey_bio(bio, key.get());
  return Drain(bio);
}

inline std::string Pkcs8Der(const TestKey& key, const EVP_CIPHER* cipher = nullptr) {
  BIO* bio = BIO_new(BIO_s_mem());
  i2d_PKCS8PrivateKey_bio(bio, key.get(), cipher, "secret", cipher == nullptr ? 0 : 6, nullptr,
                          nullptr);
  return Drain(bio);
}

inline std::string Pkcs12(const TestKey& key, const char* passphrase) {
  PKCS12* file = PKCS12_create(passphrase, "name", key.get(), nullptr, nullptr, 0, 0, 0, 0, 0);
  BIO* bio = BIO_new(BIO_s_mem());
  i2d_PKCS12_bio(bio, file);
  PKCS12_free(file);
  return Drain(bio);
}

// A number of the key by its OSSL_PKEY_PARAM_ name, big-endian.
inline std::string Number(const TestKey& key, const char* parameter) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), parameter, &number) != 1) return "";
  std::string bytes(static_cast<size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(&bytes[0]));
  BN_free(number);
  return bytes;
}

inline std::string Limbs(std::string big_endian) {
  std::string limbs(big_endian.rbegin(), big_endian.rend());
  limbs.resize((limbs.size() + 7) / 8 * 8);
  return limbs;
}

}  // namespace pagewarden
