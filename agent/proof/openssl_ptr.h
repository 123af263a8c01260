// SPDX-License-Identifier: Apache-2.0
// Owners of OpenSSL's objects.
#pragma once

#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <memory>

namespace pagewarden {

struct FreeOpenSsl {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(OSSL_DECODER_CTX* decoder) const { OSSL_DECODER_CTX_free(decoder); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(PKCS12* file) const { PKCS12_free(file); }
  void operator()(PKCS8_PRIV_KEY_INFO* info) const { PKCS8_PRIV_KEY_INFO_free(info); }
  void operator()(STACK_OF(PKCS7) * parts) const { sk_PKCS7_pop_free(parts, PKCS7_free); }
  void operator()(STACK_OF(PKCS12_SAFEBAG) * bags) const {
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
  }
};

template <typename T>
using OpenSslPtr = std::unique_ptr<T, FreeOpenSsl>;
using KeyPtr = OpenSslPtr<EVP_PKEY>;

}  // namespace pagewarden
