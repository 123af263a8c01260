// SPDX-License-Identifier: Apache-2.0
#include "agent/proof/openssh_key.h"

#include <openssl/evp.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/proof/bcrypt_pbkdf.h"

namespace pagewarden {
namespace {

constexpr absl::string_view kMagic("openssh-key-v1\0", 15);
constexpr size_t kSeedBytes = 32;
constexpr size_t kTagBytes = 16;  // of GCM
constexpr uint32_t kMaxKeys = 1;  // ssh-keygen(1) writes one, and ssh reads no more

absl::Status Malformed() { return absl::InvalidArgumentError("a malformed OpenSSH key"); }

// The wire format of RFC 4251, 5. After the first field that does not fit, all
// are empty and ok() is false.
class Fields {
 public:
  explicit Fields(absl::string_view bytes) : left_(bytes) {}

  absl::string_view Bytes(size_t count) {
    if (count > left_.size()) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const absl::string_view bytes = left_.substr(0, count);
    left_.remove_prefix(count);
    return bytes;
  }

  uint32_t Number() {
    uint32_t number = 0;
    for (const char byte : Bytes(4)) number = number << 8 | static_cast<unsigned char>(byte);
    return number;
  }

  absl::string_view String() { return Bytes(Number()); }
  absl::string_view rest() const { return left_; }
  bool ok() const { return ok_; }

 private:
  absl::string_view left_;
  bool ok_ = true;
};

struct Cipher {
  absl::string_view name;
  const char* openssl;
  bool has_tag;
};
constexpr Cipher kCiphers[] = {{"aes256-ctr", "AES-256-CTR", false},
                               {"aes192-ctr", "AES-192-CTR", false},
                               {"aes128-ctr", "AES-128-CTR", false},
                               {"aes256-cbc", "AES-256-CBC", false},
                               {"aes192-cbc", "AES-192-CBC", false},
                               {"aes128-cbc", "AES-128-CBC", false},
                               {"aes256-gcm@openssh.com", "AES-256-GCM", true},
                               {"aes128-gcm@openssh.com", "AES-128-GCM", true}};

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

struct Encrypted {
  absl::string_view cipher;
  absl::string_view derivation;
  absl::string_view options;
  absl::string_view section;
  absl::string_view tag;
};

const Cipher* FindCipher(absl::string_view name) {
  for (const Cipher& cipher : kCiphers) {
    if (cipher.name == name) return &cipher;
  }
  return nullptr;
}

absl::StatusOr<SecretBytes> Decipher(const EVP_CIPHER* cipher, const SecretBytes& key,
                                     const Encrypted& encrypted) {
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context(EVP_CIPHER_CTX_new());
  const unsigned char* const iv = key.data() + EVP_CIPHER_get_key_length(cipher);
  if (EVP_DecryptInit_ex2(context.get(), cipher, key.data(), iv, nullptr) != 1) return Malformed();
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  if (!encrypted.tag.empty() && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes,
                                                    const_cast<char*>(encrypted.tag.data())) != 1) {
    return Malformed();
  }
  SecretBytes plain(encrypted.section.size());
  int used = 0;
  int more = 0;
  const bool done =
      EVP_DecryptUpdate(context.get(), plain.data(), &used, AsBytes(encrypted.section).data(),
                        static_cast<int>(encrypted.section.size())) == 1 &&
      EVP_DecryptFinal_ex(context.get(), plain.data() + used, &more) == 1 &&
      static_cast<size_t>(used + more) == plain.size();
  if (!done) return encrypted.tag.empty() ? Malformed() : PassphraseWrong();
  return plain;
}

absl::StatusOr<SecretBytes> Decrypt(const Encrypted& encrypted, const Passphrase& passphrase) {
  if (!passphrase.has_value()) return PassphraseNeeded();
  const Cipher* const known = FindCipher(encrypted.cipher);
  if (known == nullptr || encrypted.derivation != "bcrypt") {
    return absl::InvalidArgumentError(
        "an OpenSSH key that is not encrypted with AES; convert a copy "
        "(ssh-keygen -p -Z aes256-ctr -f COPY)");
  }
  Fields options(encrypted.options);
  const absl::string_view salt = options.String();
  const uint32_t rounds = options.Number();
  if (!options.ok()) return Malformed();
  const std::unique_ptr<EVP_CIPHER, FreeCipher> cipher(
      EVP_CIPHER_fetch(nullptr, known->openssl, nullptr));
  if (cipher == nullptr) return absl::InternalError("OpenSSL lacks AES");
  const auto key_bytes = static_cast<size_t>(EVP_CIPHER_get_key_length(cipher.get()));
  const auto iv_bytes = static_cast<size_t>(EVP_CIPHER_get_iv_length(cipher.get()));
  const auto key = BcryptPbkdf(*passphrase, AsBytes(salt), rounds, key_bytes + iv_bytes);
  if (!key.ok()) return key.status();
  return Decipher(cipher.get(), *key, encrypted);
}

absl::StatusOr<std::vector<KeyComponent>> PrivateFields(Fields& fields) {
  const absl::string_view type = fields.String();
  if (type == "ssh-rsa") {
    fields.String();  // n
    fields.String();  // e
    const absl::string_view d = fields.String();
    fields.String();  // iqmp
    const absl::string_view p = fields.String();
    const absl::string_view q = fields.String();
    if (!fields.ok()) return Malformed();
    return RsaComponents(AsBytes(d), AsBytes(p), AsBytes(q));
  }
  if (absl::StartsWith(type, "ecdsa-sha2-")) {
    fields.String();  // curve
    fields.String();  // public point
    const absl::string_view scalar = fields.String();
    if (!fields.ok() || scalar.empty()) return Malformed();
    return EcComponents(AsBytes(scalar));
  }
  if (type == "ssh-ed25519") {
    fields.String();  // public key
    const absl::string_view seed_and_public = fields.String();
    if (seed_and_public.size() != 2 * kSeedBytes) return Malformed();
    return Ed25519Components(AsBytes(seed_and_public.substr(0, kSeedBytes)));
  }
  return absl::InvalidArgumentError(
      "an OpenSSH key of another type than RSA, ECDSA and Ed25519 (or its private half is in a "
      "hardware token)");
}

}  // namespace

absl::StatusOr<std::vector<KeyComponent>> ParseOpenSshKey(ByteView encoded,
                                                          const Passphrase& passphrase) {
  Fields fields(AsText(encoded));
  if (fields.Bytes(kMagic.size()) != kMagic) return Malformed();
  Encrypted encrypted;
  encrypted.cipher = fields.String();
  encrypted.derivation = fields.String();
  encrypted.options = fields.String();
  const uint32_t keys = fields.Number();
  if (!fields.ok() || keys != kMaxKeys) return Malformed();
  fields.String();  // public key
  encrypted.section = fields.String();
  if (!fields.ok()) return Malformed();

  const bool is_plain = encrypted.cipher == "none";
  SecretBytes decrypted;
  if (!is_plain) {
    const Cipher* const known = FindCipher(encrypted.cipher);
    if (known != nullptr && known->has_tag) encrypted.tag = fields.Bytes(kTagBytes);
    if (!fields.ok()) return Malformed();
    auto plain = Decrypt(encrypted, passphrase);
    if (!plain.ok()) return plain.status();
    decrypted = *std::move(plain);
  }
  Fields section(is_plain ? encrypted.section : AsText(decrypted));
  const uint32_t check = section.Number();
  if (check != section.Number() || !section.ok()) {
    return is_plain ? Malformed() : PassphraseWrong();
  }
  return PrivateFields(section);
}

}  // namespace pagewarden
