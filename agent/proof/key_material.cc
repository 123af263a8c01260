// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/key_material.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/proof/openssh_key.h"
#include "agent/proof/openssl_ptr.h"
#include "agent/proof/pem_lines.h"
#include "agent/proof/pkcs12_file.h"
#include "agent/proof/secret_file.h"

namespace pagewarden {
namespace {

struct PassphraseCall {
  const Passphrase* passphrase;
  bool asked = false;
};

// OpenSSL would otherwise ask on the terminal.
int GivePassphrase(char* buffer, int capacity, int, void* data) {
  auto* const call = static_cast<PassphraseCall*>(data);
  call->asked = true;
  const Passphrase& passphrase = *call->passphrase;
  if (!passphrase.has_value() || passphrase->size() > static_cast<size_t>(capacity)) return -1;
  memcpy(buffer, passphrase->data(), passphrase->size());
  return static_cast<int>(passphrase->size());
}

absl::StatusOr<KeyPtr> Decode(ByteView encoded, const Passphrase& passphrase) {
  PassphraseCall call = {&passphrase};
  EVP_PKEY* key = nullptr;
  const OpenSslPtr<OSSL_DECODER_CTX> decoder(OSSL_DECODER_CTX_new_for_pkey(
      &key, nullptr, nullptr, nullptr, EVP_PKEY_KEYPAIR, nullptr, nullptr));
  if (decoder == nullptr) return absl::InternalError("OpenSSL has no key decoder");
  OSSL_DECODER_CTX_set_pem_password_cb(decoder.get(), GivePassphrase, &call);
  const unsigned char* data = encoded.data();
  size_t bytes = encoded.size();
  const bool decoded = OSSL_DECODER_from_data(decoder.get(), &data, &bytes) == 1;
  KeyPtr owned(key);
  ERR_clear_error();
  if (decoded && key != nullptr) return owned;
  if (call.asked) return passphrase.has_value() ? PassphraseWrong() : PassphraseNeeded();
  return absl::InvalidArgumentError("not a private key in a form that OpenSSL can read");
}

// What `write` writes as PEM, or nothing where the key has no such form.
template <typename Write>
void AddPem(Write write, std::vector<SecretBytes>& texts) {
  const OpenSslPtr<BIO> bio(BIO_new(BIO_s_secmem()));
  char* data = nullptr;
  if (bio == nullptr || write(bio.get()) != 1) return ERR_clear_error();
  const long bytes = BIO_get_mem_data(bio.get(), &data);
  if (bytes > 0) texts.emplace_back(data, data + bytes);
}

absl::StatusOr<PrivateKey> ToPrivateKey(EVP_PKEY* key) {
  auto components = ComponentsOf(key);
  if (!components.ok()) return components.status();
  PrivateKey result{*std::move(components), {}};
  AddPem(
      [key](BIO* bio) {
        return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
      },
      result.pem);
  AddPem(
      [key](BIO* bio) {
        return PEM_write_bio_PrivateKey_traditional(bio, key, nullptr, nullptr, 0, nullptr,
                                                    nullptr);
      },
      result.pem);
  return result;
}

struct PemBlock {
  absl::string_view text;  // from BEGIN to END
  bool is_openssh = false;
};

// Those whose label ends in PRIVATE KEY.
absl::StatusOr<std::vector<PemBlock>> PrivateBlocks(absl::string_view text) {
  constexpr absl::string_view kBegin = "-----BEGIN ";
  std::vector<PemBlock> blocks;
  for (size_t at = text.find(kBegin); at != text.npos; at = text.find(kBegin, at + 1)) {
    const size_t label = at + kBegin.size();
    const size_t label_end = text.find("-----", label);
    if (label_end == text.npos) break;
    const absl::string_view name = text.substr(label, label_end - label);
    if (!absl::EndsWith(name, "PRIVATE KEY")) continue;
    const size_t end = text.find("-----END ", label_end);
    const size_t end_dashes = end == text.npos ? end : text.find("-----", end + 5);
    if (end_dashes == text.npos) return absl::InvalidArgumentError("a PEM block does not end");
    blocks.push_back({text.substr(at, end_dashes + 5 - at), name == "OPENSSH PRIVATE KEY"});
  }
  return blocks;
}

absl::StatusOr<PrivateKey> ParseBlock(const PemBlock& block, const Passphrase& passphrase) {
  absl::StatusOr<PrivateKey> key;
  if (block.is_openssh) {
    auto components = ParseOpenSshKey(DecodePemText(block.text), passphrase);
    if (!components.ok()) return components.status();
    key = PrivateKey{*std::move(components), {}};
  } else {
    const auto decoded = Decode(AsBytes(block.text), passphrase);
    if (!decoded.ok()) return decoded.status();
    key = ToPrivateKey(decoded->get());
  }
  if (key.ok()) key->pem.emplace(key->pem.begin(), block.text.begin(), block.text.end());
  return key;
}

absl::StatusOr<std::vector<PrivateKey>> ParsePem(absl::string_view text,
                                                 const Passphrase& passphrase) {
  const auto blocks = PrivateBlocks(text);
  if (!blocks.ok()) return blocks.status();
  if (blocks->empty()) return absl::InvalidArgumentError("contains no private key");
  std::vector<PrivateKey> keys;
  for (const PemBlock& block : *blocks) {
    auto key = ParseBlock(block, passphrase);
    if (!key.ok()) return key.status();
    keys.push_back(*std::move(key));
  }
  return keys;
}

absl::StatusOr<std::vector<PrivateKey>> ParseDer(ByteView der, const Passphrase& passphrase) {
  auto pkcs12 = ParsePkcs12(der, passphrase);
  if (!pkcs12.ok()) return pkcs12.status();
  std::vector<KeyPtr> decoded;
  if (pkcs12->has_value()) {
    decoded = **std::move(pkcs12);
  } else {
    auto key = Decode(der, passphrase);
    if (!key.ok()) return key.status();
    decoded.push_back(*std::move(key));
  }
  std::vector<PrivateKey> keys;
  for (const KeyPtr& key : decoded) {
    auto converted = ToPrivateKey(key.get());
    if (!converted.ok()) return converted.status();
    keys.push_back(*std::move(converted));
  }
  return keys;
}

absl::Status InFile(const std::string& path, const absl::Status& status) {
  return {status.code(), absl::StrCat(path, ": ", status.message())};
}

absl::Status CheckSize(const std::string& path, size_t bytes) {
  if (bytes >= kMinTextBytes && bytes <= kMaxTextBytes) return absl::OkStatus();
  if (bytes > kMaxTextBytes) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": larger than ", kMaxTextBytes,
                                                   " bytes, the most that is searched for"));
  }
  return absl::InvalidArgumentError(absl::StrCat(path, ": shorter than ", kMinTextBytes,
                                                 " bytes; such a secret would be found by chance"));
}

// -1: not a digit
int HexDigit(unsigned char c) {
  if (absl::ascii_isdigit(c)) return c - '0';
  const unsigned char lower = static_cast<unsigned char>(absl::ascii_tolower(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

absl::StatusOr<std::vector<PrivateKey>> LoadPrivateKeys(const std::string& path,
                                                        const Passphrase& passphrase) {
  const auto file = ReadSecretFile(path, kMaxKeyFileBytes);
  if (!file.ok()) return file.status();
  auto keys = ParsePrivateKeys(*file, passphrase);
  return keys.ok() ? std::move(keys) : InFile(path, keys.status());
}

absl::StatusOr<std::vector<PrivateKey>> ParsePrivateKeys(ByteView contents,
                                                         const Passphrase& passphrase) {
  const bool is_pem = absl::StrContains(AsText(contents), "-----BEGIN ");
  return is_pem ? ParsePem(AsText(contents), passphrase) : ParseDer(contents, passphrase);
}

absl::StatusOr<SecretBytes> LoadTextSecret(const std::string& path) {
  auto text = ReadSecretFile(path, kMaxTextBytes + 2);
  if (!text.ok()) return text.status();
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  const absl::Status size = CheckSize(path, text->size());
  return size.ok() ? std::move(text) : size;
}

absl::StatusOr<SecretBytes> LoadHexSecret(const std::string& path) {
  const auto text = ReadSecretFile(path, 4 * kMaxTextBytes);
  if (!text.ok()) return text.status();
  SecretBytes bytes;
  bytes.reserve(text->size() / 2);
  bool is_half = false;
  for (const unsigned char c : *text) {
    if (absl::ascii_isspace(c) || c == ':') continue;
    const int digit = HexDigit(c);
    if (digit < 0) return absl::InvalidArgumentError(path + ": not hexadecimal");
    if (!is_half) bytes.push_back(0);
    bytes.back() = static_cast<unsigned char>(bytes.back() << 4 | digit);
    is_half = !is_half;
  }
  if (is_half) return absl::InvalidArgumentError(path + ": an odd number of hexadecimal digits");
  const absl::Status size = CheckSize(path, bytes.size());
  if (!size.ok()) return size;
  return bytes;
}

}  // namespace pagewarden
