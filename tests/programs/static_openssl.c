// SPDX-License-Identifier: Apache-2.0
// OpenSSL linked into an executable that exports it, as some builds of node have it.
#include <openssl/pem.h>

int main(void) {
  BIO* empty = BIO_new(BIO_s_mem());
  EVP_PKEY* key = PEM_read_bio_PrivateKey(empty, NULL, NULL, NULL);
  BIO_free(empty);
  return key != NULL;
}
