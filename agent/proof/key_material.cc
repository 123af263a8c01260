// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/key_material.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/proof/secret_file.h"

namespace pagewarden {
namespace {

struct FreeDecoder {
  void operator()(OSSL_DECODER_CTX* decoder) const { OSSL_DECODER_CTX_free(decoder); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;

struct ComponentParameter {
  const char* parameter;
  const char* name;
};

constexpr ComponentParameter kRsaComponents[] = {
    {OSSL_PKEY_PARAM_RSA_D, "rsa.d"},
    {OSSL_PKEY_PARAM_RSA_FACTOR1, "rsa.p"},
    {OSSL_PKEY_PARAM_RSA_FACTOR2, "rsa.q"},
    {OSSL_PKEY_PARAM_RSA_EXPONENT1, "rsa.dmp1"},
    {OSSL_PKEY_PARAM_RSA_EXPONENT2, "rsa.dmq1"},
    {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, "rsa.iqmp"},
};
constexpr ComponentParameter kEcComponents[] = {{OSSL_PKEY_PARAM_PRIV_KEY, "ec.scalar"}};

// OpenSSL would otherwise ask on the terminal.
int RefusePassphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

absl::Status Encrypted(const std::string& path) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": the private key is encrypted; give a decrypted copy (openssl pkey -in ",
                   path, " -out FILE)"));
}

absl::StatusOr<KeyPtr> Decode(ByteView encoded, const std::string& path) {
  bool asked = false;
  EVP_PKEY* key = nullptr;
  std::unique_ptr<OSSL_DECODER_CTX, FreeDecoder> decoder(OSSL_DECODER_CTX_new_for_pkey(
      &key, nullptr, nullptr, nullptr, EVP_PKEY_KEYPAIR, nullptr, nullptr));
  if (decoder == nullptr) return absl::InternalError("OpenSSL has no key decoder");
  OSSL_DECODER_CTX_set_pem_password_cb(decoder.get(), RefusePassphrase, &asked);
  const unsigned char* data = encoded.data();
  size_t bytes = encoded.size();
  const bool decoded = OSSL_DECODER_from_data(decoder.get(), &data, &bytes) == 1;
  KeyPtr owned(key);
  ERR_clear_error();
  if (asked) return Encrypted(path);
  if (!decoded || key == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": not a private key in PEM or DER that OpenSSL can read"));
  }
  return owned;
}

// NotFound: the key has no such number.
absl::StatusOr<KeyComponent> Component(const EVP_PKEY* key, const ComponentParameter& wanted) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, wanted.parameter, &number) != 1) {
    ERR_clear_error();
    return absl::NotFoundError(wanted.name);
  }
  KeyComponent component{wanted.name, SecretBytes(static_cast<size_t>(BN_num_bytes(number)))};
  BN_bn2bin(number, component.bytes.data());
  BN_clear_free(number);
  return component;
}

absl::StatusOr<absl::Span<const ComponentParameter>> ComponentsOf(const EVP_PKEY* key,
                                                                  const std::string& path) {
  if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1) {
    BIGNUM* third_prime = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR3, &third_prime) == 1) {
      BN_clear_free(third_prime);
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": RSA keys of more than two primes are not supported"));
    }
    ERR_clear_error();
    return absl::Span<const ComponentParameter>(kRsaComponents);
  }
  if (EVP_PKEY_is_a(key, "EC") == 1) return absl::Span<const ComponentParameter>(kEcComponents);
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", EVP_PKEY_get0_type_name(key),
                                                 " keys are not supported, only RSA and EC"));
}

absl::StatusOr<PrivateKey> ToPrivateKey(ByteView encoded, const std::string& path) {
  auto key = Decode(encoded, path);
  if (!key.ok()) return key.status();
  auto wanted = ComponentsOf(key->get(), path);
  if (!wanted.ok()) return wanted.status();
  PrivateKey result;
  for (const ComponentParameter& parameter : *wanted) {
    auto component = Component(key->get(), parameter);
    if (!component.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": a public key, or a private key without ", parameter.name));
    }
    result.components.push_back(*std::move(component));
  }
  return result;
}

// The PEM blocks whose label ends in PRIVATE KEY, from BEGIN to END.
absl::StatusOr<std::vector<absl::string_view>> PrivateBlocks(absl::string_view text,
                                                             const std::string& path) {
  constexpr absl::string_view kBegin = "-----BEGIN ";
  std::vector<absl::string_view> blocks;
  for (size_t at = text.find(kBegin); at != text.npos; at = text.find(kBegin, at + 1)) {
    const size_t label = at + kBegin.size();
    const size_t label_end = text.find("-----", label);
    if (label_end == text.npos) break;
    const absl::string_view name = text.substr(label, label_end - label);
    if (!absl::EndsWith(name, "PRIVATE KEY")) continue;
    if (name == "OPENSSH PRIVATE KEY") {
      return absl::InvalidArgumentError(absl::StrCat(
          path, ": in OpenSSH's own format; convert a copy (ssh-keygen -p -m PEM -f COPY)"));
    }
    const size_t end = text.find("-----END ", label_end);
    const size_t end_dashes = end == text.npos ? end : text.find("-----", end + 5);
    if (end_dashes == text.npos) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": a PEM block does not end"));
    }
    blocks.push_back(text.substr(at, end_dashes + 5 - at));
  }
  return blocks;
}

}  // namespace

absl::StatusOr<std::vector<PrivateKey>> LoadPrivateKeys(const std::string& path) {
  auto file = ReadSecretFile(path, kMaxKeyFileBytes);
  if (!file.ok()) return file.status();
  const absl::string_view text = AsText(*file);
  auto blocks = PrivateBlocks(text, path);
  if (!blocks.ok()) return blocks.status();
  const bool is_pem = !blocks->empty();
  if (!is_pem && absl::StrContains(text, "-----BEGIN ")) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": contains no private key"));
  }
  if (!is_pem) blocks->push_back(text);
  std::vector<PrivateKey> keys;
  for (absl::string_view block : *blocks) {
    auto key = ToPrivateKey(AsBytes(block), path);
    if (!key.ok()) return key.status();
    if (is_pem) key->pem.assign(block.begin(), block.end());
    keys.push_back(*std::move(key));
  }
  return keys;
}

absl::StatusOr<SecretBytes> LoadTextSecret(const std::string& path) {
  auto text = ReadSecretFile(path, kMaxTextBytes);
  if (!text.ok()) return text.status();
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (text->size() < kMinTextBytes) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": shorter than ", kMinTextBytes,
                                                   " bytes; such a text would be found by chance"));
  }
  return text;
}

}  // namespace pagewarden
